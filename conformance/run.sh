#!/usr/bin/env bash
# Tells the story through the AWS CLI, boto3 and the AWS SDKs for JavaScript and
# Go. The first two are the packages awscli and python3-boto3 of Debian, not
# whatever else is first in the path; the third is installed here by npm.
#
#   RUN   part of the story, as go test names it: /boto3/stages
set -euo pipefail
cd "$(dirname "$0")"

missing() {
	echo "conformance: $1 is missing: install awscli, python3-boto3, curl, nodejs and npm" >&2
	exit 1
}
for program in /usr/bin/aws /usr/bin/python3 curl node npm; do
	command -v "$program" >/dev/null || missing "$program"
done
/usr/bin/python3 -c 'import boto3' 2>/dev/null || missing python3-boto3
pinned=$(node -p 'require("./js/package.json").dependencies["@aws-sdk/client-apigatewayv2"]')
installed() {
	node -p 'require("./js/node_modules/@aws-sdk/client-apigatewayv2/package.json").version' 2>/dev/null || true
}
if [[ $(installed) != "$pinned" ]]; then
	npm install --prefix js --no-package-lock --no-audit --no-fund --loglevel=error
fi

echo "AWS CLI:    $(/usr/bin/aws --version)"
echo "boto3:      $(/usr/bin/python3 -c 'import boto3; print(boto3.__version__)')"
echo "JavaScript: $(installed) on node $(node --version)"
echo "Go:         $(go list -m github.com/aws/aws-sdk-go-v2/service/apigatewayv2)"
exec go test -tags conformance -count=1 -timeout 10m -parallel 2 -run "^TestConformance\$${RUN:-}" .
