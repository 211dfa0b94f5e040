#!/usr/bin/env bash
# go.sh : every Go test, with nothing skipped silently.
set -euo pipefail
cd "$(dirname "$0")/.."
export KUBE=required E2E=required SENSOR_BPF=required POSTGRES=required BREAKWATER_SLOW=1
go build -o bin/summary ./test/summary
# Not from the cache: tests that build the binary do not tell what they depend on.
go test -json -count=1 -timeout 60m ./... | bin/summary
