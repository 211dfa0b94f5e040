#!/usr/bin/env bash
# lint.sh : formatting, vet, staticcheck, unchecked errors, the form of logs, and the table of forbidden arrows.
set -euo pipefail
cd "$(dirname "$0")/.."
unformatted=$(gofmt -l $(git ls-files -co --exclude-standard '*.go'))
[ -z "$unformatted" ] || { echo "gofmt would change:"; echo "$unformatted"; exit 1; }
# Lines are at most 140 characters. What is longer today is counted in test/longlines.txt, folder by folder; it only shrinks.
long=$(git ls-files -co --exclude-standard '*.go' | grep -vE '(^|/)testdata/|(^|/|\.)gen\.go$' | LC_ALL=C.UTF-8 xargs grep -nE '^.{141,}$' || true)
printf '%s\n' "$long" | cut -d/ -f1 | sort | uniq -c | while read -r n dir; do
  most=$(awk -v d="$dir" '$1 == d {print $2}' test/longlines.txt)
  [ -z "$dir" ] || [ "$n" -le "${most:-0}" ] || { echo "$dir has $n lines over 140 characters, and may have ${most:-0}:"; echo "$long" | grep "^$dir/" | cut -c1-100; exit 1; }
done
go vet ./...
go tool staticcheck ./...
# A deferred Close or removal is of what was only read, or a second one: what is written is closed before, and looked at.
unchecked=$(go tool errcheck -ignoretests -exclude test/errcheck.txt ./... | grep -vE '	defer .*(\.Close|os\.Remove|os\.RemoveAll)\(' || true)
[ -z "$unchecked" ] || { echo "errors that nobody looks at (errcheck):"; echo "$unchecked"; exit 1; }
go tool sloglint -no-global all -key-naming-case snake ./...
go test ./internal/arch
