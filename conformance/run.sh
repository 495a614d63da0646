#!/usr/bin/env bash
# Tries Penstock with the AWS CLI, boto3 and the AWS SDKs for JavaScript and Go, with
# curl, Chromium, h2load and h2spec, with the WebSocket clients of npm and Python, and
# through toxiproxy, slowhttptest and load.
# What Debian has is used from Debian, not from whatever else is first in the path:
# the packages awscli, python3-boto3, curl, chromium, nghttp2-client, slowhttptest, zip,
# python3-bottle and python3-websockets.
# The rest is installed here by npm and go. Nothing that is missing is skipped.
#
#   RUN                     part of it: /boto3/stages of the story, or a test such as TestBrowser
#   PENSTOCK                path of a server to try instead of the one of this tree
#   SOAK_SECONDS            how long each change is made under load (3)
set -euo pipefail
cd "$(dirname "$0")"
bin=$PWD/../.scratch/bin

missing() {
	echo "conformance: $1 is missing: install awscli, python3-boto3, curl, chromium, nghttp2-client, slowhttptest, zip, python3-bottle, python3-websockets, nodejs and npm" >&2
	exit 1
}
for program in /usr/bin/{aws,python3,curl,chromium,h2load,slowhttptest,zip} node npm; do
	command -v "$program" >/dev/null || missing "$program"
done
/usr/bin/python3 -c 'import boto3' 2>/dev/null || missing python3-boto3
# Functions that are written with what their authors use, in the versions of the lock file.
if [[ ! functions/node/node_modules/.package-lock.json -nt functions/node/package-lock.json ]]; then
	npm ci --prefix functions/node --no-audit --no-fund --loglevel=error
fi
/usr/bin/python3 -c 'import bottle' 2>/dev/null || missing python3-bottle
/usr/bin/python3 -c 'import websockets' 2>/dev/null || missing python3-websockets
pinned() {
	node -p 'Object.entries(require("./js/package.json").dependencies).sort().map((d) => d.join(" ")).join(", ")'
}
# What is installed of them, in the same form.
installed() {
	node -p 'Object.keys(require("./js/package.json").dependencies).sort().map((name) => `${name} ${JSON.parse(require("fs").readFileSync(`./js/node_modules/${name}/package.json`)).version}`).join(", ")' 2>/dev/null || true
}
if [[ $(installed) != "$(pinned)" ]]; then
	npm install --prefix js --no-package-lock --no-audit --no-fund --loglevel=error
fi

# tool installs a Go program under a name, unless it is there in this version.
tool() { # name module package version
	if [[ $(go version -m "$bin/$1" 2>/dev/null) != *"$2"$'\t'"$4"* ]]; then
		mkdir -p "$bin/.install"
		GOFLAGS=-mod=mod GOBIN=$bin/.install go install "$2$3@$4"
		mv "$bin/.install/${3##*/}" "$bin/$1"
		rmdir "$bin/.install"
	fi
}
# Of later versions of h2spec, the Go proxy has none.
tool h2spec github.com/summerwind/h2spec /cmd/h2spec v2.2.1+incompatible
tool pebble github.com/letsencrypt/pebble/v2 /cmd/pebble v2.10.1
tool toxiproxy-server github.com/Shopify/toxiproxy/v2 /cmd/server v2.5.0
if [[ -z ${PENSTOCK:-} ]]; then
	export PENSTOCK=$bin/penstock-conformance
	go build -o "$PENSTOCK" ../cmd/penstock
fi

echo "AWS CLI:      $(/usr/bin/aws --version)"
echo "boto3:        $(/usr/bin/python3 -c 'import boto3; print(boto3.__version__)')"
echo "JavaScript:   $(installed) on node $(node --version)"
echo "Go:           $(go list -m github.com/aws/aws-sdk-go-v2/service/apigatewayv2)"
echo "websockets:   $(/usr/bin/python3 -c 'import websockets; print(websockets.__version__)')"
echo "curl:         $(/usr/bin/curl --version | head -n 1)"
echo "Chromium:     $(/usr/bin/chromium --version 2>/dev/null)"
echo "h2load:       $(/usr/bin/h2load --version)"
echo "h2spec:       $(go version -m "$bin/h2spec" | awk '$1 == "mod" { print $3 }')"
echo "toxiproxy:    $(go version -m "$bin/toxiproxy-server" | awk '$1 == "mod" { print $3 }')"
echo "slowhttptest: $(dpkg-query -W -f '${Version}' slowhttptest)"
case ${RUN:-} in
/*) run="^TestConformance\$$RUN" ;;
*) run=${RUN:-.} ;;
esac
if [[ $run == . ]]; then
	echo "== certificates from a local ACME authority"
	PEBBLE=$bin/pebble go test -tags conformance -count=1 -timeout 2m -run TestACME ../internal/certificate
fi
exec go test -tags conformance -count=1 -timeout 30m -parallel 2 -run "$run" .
