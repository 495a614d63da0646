#!/usr/bin/env bash
# Builds Penstock and the programs of the comparison, and measures WebSocket APIs beside
# other servers. Ports, file limits and memory are those of the machine: 15,000 idle
# connections need 20,000 files in each process.
#
#   TABLES         names of the tables, space separated (default: all)
#   PEERS          names of the servers, space separated (default: all)
#   SECONDS_EACH   measured seconds per row and round (default: 5)
#   ROUNDS         how often all rows are measured (default: 3)
set -euo pipefail
cd "$(dirname "$0")/.."

peers=${PEERS:-}
bin=$PWD/.scratch/bin
mkdir -p "$bin"

files=$(ulimit -Hn)
if [[ $files != unlimited ]] && ((files < 20000)); then
	echo "the limit of open files is $files: 15,000 connections need 20000" >&2
	exit 1
fi
ulimit -n "$files"
if [[ -z $peers || " $peers " == *" penstock "* ]]; then
	go build -o "$bin/" ./cmd/penstock
fi
go -C bench/sockets build -o "$bin/sockets" .
exec "$bin/sockets" -penstock "$bin/penstock" -tables "${TABLES:-}" -peers "$peers" -each "${SECONDS_EACH:-5}s" -rounds "${ROUNDS:-3}"
