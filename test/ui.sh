#!/usr/bin/env bash
# ui.sh : builds the portal into ui/dist, unless what it is made of is as it was.
set -euo pipefail
cd "$(dirname "$0")/.."
inputs() {
  cat ui/package-lock.json ui/package.json ui/.prettierrc.json ui/index.html ui/vite.config.ts ui/tsconfig.json api/openapi.yaml
  find ui/src ui/public -type f -print0 | sort -z | xargs -0 cat
}
key=$(inputs | sha256sum | cut -c1-32)
[ "$(cat ui/dist/.key 2>/dev/null)" = "$key" ] && exit 0
test/node.sh ui
echo "[ui] checking and building the portal ..." >&2
npm --prefix ui run check --silent
npm --prefix ui run build --silent
echo "$key" > ui/dist/.key
