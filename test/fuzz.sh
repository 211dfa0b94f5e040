#!/usr/bin/env bash
# fuzz.sh [TIME] : runs every fuzz test of the repository for that long, twice as many beside each other as there are
# cores. Without TIME, a minute each in CI (CI=true); elsewhere nothing, as go test has run their seeds. A new input
# that fails is left in its package's testdata/fuzz, where every later run tries it, and fails this one.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-}
[ -n "$time" ] || { [ "${CI:-}" = true ] && time=60s; } || { echo "fuzz: seeds only, as CI is not true"; exit 0; }

# fuzz DIR NAME LOG : fuzzes one target; an input is made smaller for two seconds at most, by default for all the time;
# it is fuzzed once more where go's own worker did not end in time and no input failed.
fuzz() {
  for _ in 1 2; do
    go test "$1" -run '^$' -fuzz "^$2\$" -fuzztime "$time" -fuzzminimizetime 2s -parallel 1 >"$3" 2>&1 && return
    grep -q 'context deadline exceeded' "$3" && ! grep -q 'Failing input' "$3" || return 1
  done
  return 1
}

# one DIR NAME : fuzzes one target. What it says is printed if it fails.
one() {
  local log began=$SECONDS
  log=$(mktemp)
  if fuzz "$1" "$2" "$log"; then
    echo "ok   $1 $2 ($((SECONDS - began)) s, $(grep -o 'execs: [0-9]*' "$log" | tail -n 1))"
    rm -f "$log"
    return
  fi
  echo "FAIL $1 $2"
  cat "$log"
  rm -f "$log"
  return 1
}
export -f one fuzz
export time

targets=$(grep -rE '^func Fuzz' --include='*_test.go' . | sed -E 's#^(.*)/[^/]*_test.go:func (Fuzz[A-Za-z0-9_]*).*#\1 \2#' | sort -u)
echo "fuzz: $(wc -l <<<"$targets") targets, $time each, $((2 * $(nproc))) at once"
# Built before, so that the time is for fuzzing.
cut -d' ' -f1 <<<"$targets" | sort -u | xargs go test -run '^$' >/dev/null
xargs -P $((2 * $(nproc))) -L 1 bash -c 'one "$@"' _ <<<"$targets"
