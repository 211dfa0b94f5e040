#!/usr/bin/env bash
# node.sh DIR : installs a folder's node_modules at the versions of its lock file,
# once per lock file. Not npm ci: it insists on entries for the native builds of
# every other platform, which a lock file made on one platform need not have.
set -euo pipefail
dir=$(cd "$(dirname "$0")/.." && pwd)/$1
mark=$dir/node_modules/.installed
cmp -s "$dir/package-lock.json" "$mark" && exit 0
command -v npm >/dev/null || {
  echo "Node.js with npm is needed; without it, all but the portal: GOBIN=\$PWD/bin go install ./cmd/breakwater" >&2
  exit 1
}
echo "[node] installing what $1 needs ..." >&2
kept=$(mktemp)
cp "$dir/package-lock.json" "$kept"
PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm --prefix "$dir" install --no-audit --no-fund --loglevel=error
mv "$kept" "$dir/package-lock.json"
cp "$dir/package-lock.json" "$mark"
