#!/usr/bin/env bash
# ui.sh : builds the portal into ui/dist, unless what it is made of is as it was.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v npm >/dev/null || { echo "Node.js with npm is needed to build the portal" >&2; exit 1; }
key=$( { cat ui/package-lock.json ui/package.json ui/index.html ui/vite.config.ts ui/tsconfig.json api/openapi.yaml; find ui/src ui/public -type f -print0 | sort -z | xargs -0 cat; } | sha256sum | cut -c1-32)
[ "$(cat ui/dist/.key 2>/dev/null)" = "$key" ] && exit 0
if ! cmp -s ui/package-lock.json ui/node_modules/.installed 2>/dev/null; then
  echo "[ui] npm ci ..." >&2
  npm --prefix ui ci --no-audit --no-fund --loglevel=error
  cp ui/package-lock.json ui/node_modules/.installed
fi
echo "[ui] checking and building the portal ..." >&2
npm --prefix ui run check --silent
npm --prefix ui run build --silent
echo "$key" > ui/dist/.key
