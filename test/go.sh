#!/usr/bin/env bash
# go.sh : every Go test, with nothing skipped silently.
set -euo pipefail
cd "$(dirname "$0")/.."
export KUBE=required E2E=required BREAKWATER_SLOW=1
go build -o bin/summary ./test/summary
go test -json -timeout 30m ./... | bin/summary
