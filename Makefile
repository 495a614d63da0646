SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

FUZZTIME ?= 10s
SOAK ?= 60
CASES ?= 100000

# Every Go file of ours, generated files, and test files: by find and not by git,
# so that a file counts before it is added.
find := find . \( -name '.?*' -o -name node_modules \) -prune -o -name
gofiles = $$($(find) '*.go' -print)
generated = $(find) '*_gen.go' -print | sort | xargs cat | sha256sum
tests = grep -l $(1) $$($(find) '*_test.go' -print)

.PHONY: help check format vet staticcheck generated arch test race fuzz bench bench-peers bench-sockets slow-readers kill-test damage-test writers cover golden generate scripts conformance soak velocity run

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

check: format vet staticcheck generated arch race ## all that must hold before a commit: what CI runs

format: ## refuse files that gofmt would change
	@unformatted=$$(gofmt -l $(gofiles)); test -z "$$unformatted" || { echo "gofmt -w: $$unformatted"; exit 1; }

vet: ## go vet
	go vet ./...
	go vet -tags conformance ./conformance ./internal/certificate
	go vet -tags velocity ./vtl/velocity
	go -C bench/sockets vet .

staticcheck: ## staticcheck, by the version in go.mod
	go tool staticcheck ./...
	go tool staticcheck -tags conformance ./conformance ./internal/certificate
	go tool staticcheck -tags velocity ./vtl/velocity
	tool=$$(go tool -n staticcheck); cd bench/sockets; $$tool .

generated: ## refuse generated files that differ from what generate writes
	@before=$$($(generated)); go generate ./...; after=$$($(generated)); \
	test "$$before" = "$$after" || { echo "generated files were stale: commit what make generate wrote"; exit 1; }

arch: ## the boundaries between packages
	go test -run '^TestArch' .

test: ## tests
	go test ./...

race: ## tests under the race detector
	go test -race ./...
	go -C bench/sockets test -race .

fuzz: ## every fuzz target for FUZZTIME (10s)
	@grep -Ho '^func Fuzz[A-Za-z0-9_]*' $$($(call tests,'^func Fuzz')) | while IFS=: read -r file func; do \
		go test -run '^$$' -fuzz "^$${func#func }$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$(dirname "$$file")"; done

bench: ## Go benchmarks with allocations
	go test -run '^$$' -bench . -benchmem ./...

bench-peers: ## CPU per request beside nginx, HAProxy, Caddy: TABLES="plain tls" PEERS="nginx penstock" SECONDS_EACH=5
	bench/peers.sh

bench-sockets: ## WebSocket APIs beside gws, gorilla and coder: TABLES="idle echo" PEERS="gws penstock" SECONDS_EACH=5
	bench/sockets.sh

slow-readers: ## 5,000 WebSocket clients that do not read beside 5,000 that do
	PENSTOCK_SLOW_READERS=5000 go test -count=1 -timeout 10m -run '^TestSlowReaders$$' .

kill-test: ## kill the store while it writes, 50 times
	PENSTOCK_KILL_ROUNDS=50 go test -count=1 -timeout 10m ./internal/store/...

damage-test: ## damage the store's file at 20,000 random bits and at every length
	PENSTOCK_DAMAGE_PROBES=20000 PENSTOCK_DAMAGE_STEP=1 go test -count=1 -timeout 30m -run 'Flipped|Truncated' ./internal/store/ledger

writers: ## 32 concurrent writers and readers for 30 s under the race detector
	PENSTOCK_WRITERS_SECONDS=30 go test -race -count=1 -timeout 10m -run Writers ./internal/control

cover: ## coverage by function, total last
	@mkdir -p .scratch
	go test -coverprofile .scratch/cover.out ./...
	go tool cover -func .scratch/cover.out

golden: ## rewrite expected outputs, to be read in the diff
	@packages=$$($(call tests,'Bool."update"') | xargs -rn 1 dirname | sort -u || true); \
	test -z "$$packages" || go test -timeout 2m $$packages -update

generate: ## model to Go
	go generate ./...

scripts: ## the stories in testdata/script
	go test -count=1 -run '^TestScript' .

conformance: ## the AWS CLI, SDKs, curl, Chromium, h2spec, faults and load: RUN=/boto3/stages or RUN=TestBrowser for a part
	conformance/run.sh

soak: ## each change of configuration under load for SOAK (60) seconds
	RUN=TestChanges SOAK_SECONDS=$(SOAK) conformance/run.sh

velocity: ## CASES (100,000) templates beside Apache Velocity: SEED=N for the same ones again
	CASES=$(CASES) vtl/velocity/run.sh

run: ## a server with a sample API
	go run ./cmd/penstock demo
