#!/usr/bin/env bash
# lint.sh : formatting, vet, staticcheck, and the table of forbidden arrows.
set -euo pipefail
cd "$(dirname "$0")/.."
unformatted=$(gofmt -l $(git ls-files -co --exclude-standard '*.go'))
[ -z "$unformatted" ] || { echo "gofmt would change:"; echo "$unformatted"; exit 1; }
go vet ./...
go tool staticcheck ./...
go test ./internal/arch
