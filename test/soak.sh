#!/usr/bin/env bash
# soak.sh : what moves (goroutines, queues, streams, the page) on a machine that is
# busy: the tests of these packages twenty times under the race detector while
# twice as many processes as cores do nothing but count, then the browser's suite
# with its processor six times slower. About an hour; COUNT, PACKAGES, THROTTLE
# and BROWSER (a pattern of tests; none: -) change that.
set -uo pipefail
cd "$(dirname "$0")/.."
count=${COUNT:-20} throttle=${THROTTLE:-6} browser=${BROWSER:-InABrowser|OnARealCluster|APersonsDeployment|ANodesProcesses}
what=${PACKAGES:-live assess registries pipeline ingest detect enrichment store sensor api}
log=$(mktemp -d)
load=()
# Its load ends with it, however it ends.
trap 'kill "${load[@]}" 2>/dev/null; rm -f "$log"/*.test' EXIT
trap 'exit 130' INT TERM

packages=()
for dir in $what; do
  if compgen -G "$dir/*_test.go" >/dev/null; then packages+=("$dir"); else echo "soak: no tests in $dir, left out"; fi
done

failed=0 said=()
# step NAME COMMAND… : runs it, keeps what it says, and says how it went.
step() {
  local name=$1 began=$SECONDS how=ok
  shift
  if ! "$@" >"$log/${name//\//-}.log" 2>&1; then
    how=FAIL failed=1
    grep -vE '^(=== |--- PASS|PASS|ok )' "$log/${name//\//-}.log" | tail -n 100
  fi
  said+=("$(printf '%-5s%-22s%5d s' "$how" "$name" $((SECONDS - began)))")
  echo "${said[-1]}"
}

# Built before the machine is made busy; each runs in its folder, as go test does.
for dir in "${packages[@]}"; do
  go test -race -c -o "$log/${dir//\//-}.test" "./$dir" || { echo "soak: $dir does not build"; exit 1; }
done
for _ in $(seq $((2 * $(nproc)))); do
  (while :; do :; done) &
  load+=($!)
done
for dir in "${packages[@]}"; do
  step "$dir" env -C "$dir" "$log/${dir//\//-}.test" -test.count="$count" -test.timeout=60m
done
kill "${load[@]}" 2>/dev/null
wait "${load[@]}" 2>/dev/null
load=()

if [ "$browser" != - ]; then
  test/setup.sh && test/ui.sh || exit 1
  export KUBE=required E2E=required THROTTLE=$throttle
  step "browser, $throttle times slower" go test -count=1 -timeout 120m -v -run "$browser" ./test/e2e
fi

echo
echo "soak: $count times under the race detector with $((2 * $(nproc))) processes of load, browser ${throttle} times slower"
printf '  %s\n' "${said[@]}"
[ $failed = 0 ] || echo "soak: failed; the whole output is in $log"
[ $failed = 1 ] || rm -rf "$log"
exit $failed
