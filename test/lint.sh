#!/usr/bin/env bash
# lint.sh : formatting, vet, staticcheck, unchecked errors, the form of logs, and the table of forbidden arrows.
set -euo pipefail
cd "$(dirname "$0")/.."
unformatted=$(gofmt -l $(git ls-files -co --exclude-standard '*.go'))
[ -z "$unformatted" ] || { echo "gofmt would change:"; echo "$unformatted"; exit 1; }
# Lines are at most 140 characters in what people write here: not in generated files, recorded data and other people's advisories.
long=$(git ls-files -co --exclude-standard '*.go' '*.yaml' '*.sh' '*.ts' '*.tsx' Makefile |
  grep -vE '(^|/)testdata/|(^|/|\.)gen\.(go|ts)$|^examples/harbor-shop/advisories/' |
  LC_ALL=C.UTF-8 xargs grep -nE '^.{141,}$' | cut -c1-100 || true)
[ -z "$long" ] || { echo "lines over 140 characters:"; echo "$long"; exit 1; }
go vet ./...
go tool staticcheck ./...
# A deferred Close or removal is of what was only read, or a second one: what is written is closed before, and looked at.
unchecked=$(go tool errcheck -ignoretests -exclude test/errcheck.txt ./... |
  grep -vE '	defer .*(\.Close|os\.Remove|os\.RemoveAll)\(' || true)
[ -z "$unchecked" ] || { echo "errors that nobody looks at (errcheck):"; echo "$unchecked"; exit 1; }
go tool sloglint -no-global all -key-naming-case snake ./...
go test ./internal/arch
