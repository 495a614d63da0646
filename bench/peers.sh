#!/usr/bin/env bash
# Installs what the comparison needs and is missing, builds the proxies that are
# Go programs, and measures.
#
#   TABLES         names of the tables, space separated (default: all)
#   PEERS          names of the proxies, space separated (default: all)
#   SECONDS_EACH   measured seconds per row and round (default: 8)
set -euo pipefail
cd "$(dirname "$0")/.."

peers=${PEERS:-}
bin=$PWD/.scratch/bin
mkdir -p "$bin"

wanted() { [[ -z $peers || " $peers " == *" $1 "* ]]; }

missing=()
for program in nginx haproxy wrk h2load; do
	package=$program
	if [[ $program == h2load ]]; then package=nghttp2-client; fi
	command -v "$program" >/dev/null || missing+=("$package")
done
if ((${#missing[@]})); then
	echo "installing ${missing[*]}"
	apt-get update -qq
	# RUNLEVEL=1 keeps the packages from starting their services.
	RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}"
fi
if wanted caddy && [[ ! -x $bin/caddy ]]; then
	echo "installing caddy"
	GOBIN=$bin go install github.com/caddyserver/caddy/v2/cmd/caddy@latest
fi
if wanted penstock; then
	go build -o "$bin/" ./cmd/penstock
fi
if [[ -z $peers && (-z ${TABLES:-} || " $TABLES " == *" lambda "*) ]]; then
	go build -o "$bin/lambda/bootstrap" ./bench/lambda
	[[ -d bench/lambda/node_modules ]] || npm ci --prefix bench/lambda --no-audit --no-fund --loglevel=error
fi
go build -o "$bin/" ./bench/peers ./bench/fasthttp ./bench/reverseproxy
exec "$bin/peers" -bin "$bin" -doc docs/benchmarks.md -tables "${TABLES:-}" -peers "$peers" -each "${SECONDS_EACH:-8}s"
