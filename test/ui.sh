#!/usr/bin/env bash
# ui.sh : builds the portal into ui/dist, unless what it is made of is as it was.
# ui.sh check : runs the portal's checks and unit tests first, unless they passed on the same.
set -euo pipefail
cd "$(dirname "$0")/.."
inputs() {
  cat ui/package-lock.json ui/package.json ui/.prettierrc.json ui/index.html ui/vite.config.ts ui/tsconfig.json api/openapi.yaml
  find ui/src ui/public "$@" -type f -print0 | sort -z | xargs -0 cat
}
# step MARK KEY WHAT COMMAND… : does it unless the mark says that it was done on the same.
step() {
  local mark=$1 key=$2 what=$3
  shift 3
  [ "$(cat "$mark" 2>/dev/null)" != "$key" ] || return 0
  test/node.sh ui
  echo "[ui] $what ..." >&2
  "$@"
  echo "$key" >"$mark"
}
key() { inputs "$@" | sha256sum | cut -c1-32; }
if [ "${1:-}" = check ]; then # prettier looks at the browser's suite too
  key=$(key test/e2e/specs test/e2e/playwright.config.ts)
  step ui/node_modules/.checked "$key" "checking the portal" npm --prefix ui run check --silent
fi
step ui/dist/.key "$(key)" "building the portal" npm --prefix ui run build --silent
