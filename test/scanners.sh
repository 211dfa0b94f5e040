#!/usr/bin/env bash
# scanners.sh : builds the scanners that make bench measures us against, once, into a cache, and prints the folder that has them. Their
# modules come through the Go module proxy; none of them is linked into ours. What cannot be built is said and left out.
set -euo pipefail
out=${BREAKWATER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/breakwater}/scanners
mkdir -p "$out"
for each in "$@"; do
  name=${each%%=*} module=${each#*=}
  [ -x "$out/$name" ] && [ "$(cat "$out/$name.from" 2>/dev/null)" = "$module" ] && continue
  echo "[scanners] building $module ..." >&2
  if (cd "$out" && GOFLAGS= CGO_ENABLED=0 GOBIN="$out" nice go install -trimpath -ldflags '-s -w' "$module" >&2); then
    echo "$module" >"$out/$name.from"
  else
    echo "[scanners] $name cannot be built here: it is not measured" >&2
  fi
done
echo "$out"
