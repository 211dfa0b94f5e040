#!/usr/bin/env bash
# soak.sh : what moves (goroutines, queues, streams, the page) on a machine that is
# busy: the tests of these packages under the race detector, twenty times where facts and
# images meet and five times elsewhere, as many packages beside each other as there are
# cores, while twice as many processes as cores do nothing but count; then the browser's
# suite with its processor six times slower. COUNT (of all), PACKAGES, THROTTLE and
# BROWSER (a pattern of tests; none: -) change that.
#
# Of store and api only the tests in which something happens at once are run, the longest
# first; the others ask a database and a picture that nobody changes. detect has no
# goroutine, neither in the product nor in its tests: pipeline runs it as it is used.
set -uo pipefail
cd "$(dirname "$0")/.."
throttle=${THROTTLE:-6} browser=${BROWSER:-InABrowser|OnARealCluster|APersonsDeployment|ANodesProcesses}
what=${PACKAGES:-live sensor ingest pipeline assess registries api store event/audit enrichment}
declare -A counts=([live]=20 [assess]=20 [registries]=20)
declare -A moves=(
  [store]='TwoServers|EachImageIsHandedToOneOfManyTakers|WhoWaitsForALockCanBeCalledBack|ThoseWhoWaitToWriteHoldUpNoReader'
  [api]='TheSampleIsServed|EventsTellOfANewPicture|EventsSayOnlyWhatIsDifferentInTheScope'
)
log=$(mktemp -d)
load=()
# Its load and its tests end with it, however it ends.
trap 'kill $(jobs -p) 2>/dev/null; rm -f "$log"/*.test' EXIT
trap 'exit 130' INT TERM

packages=()
for dir in $what; do
  if compgen -G "$dir/*_test.go" >/dev/null; then packages+=("$dir"); else echo "soak: no tests in $dir, left out"; fi
done

# step NAME COMMAND… : runs it, keeps what it says, and says how it went.
step() {
  local name=$1 file=$log/${1//\//-} began=$SECONDS how=ok
  shift
  "$@" >"$file.log" 2>&1 &
  trap "kill $! 2>/dev/null" TERM
  if ! wait $! || grep -q 'no tests to run' "$file.log"; then
    how=FAIL
    grep -vE '^(=== |--- PASS|PASS|ok )' "$file.log" | tail -n 100
  fi
  printf '%-5s%-22s%5d s\n' "$how" "$name" $((SECONDS - began)) | tee "$file.how"
}

# Built before the machine is made busy; each runs in its folder, as go test does.
for dir in "${packages[@]}"; do
  go test -race -c -o "$log/${dir//\//-}.test" "./$dir" || { echo "soak: $dir does not build"; exit 1; }
done
for _ in $(seq $((2 * $(nproc)))); do
  (while :; do :; done) &
  load+=($!)
done
running=0
for dir in "${packages[@]}"; do
  [ $running -lt "$(nproc)" ] || { wait -n; running=$((running - 1)); } # the load never ends
  step "$dir" env -C "$dir" "$log/${dir//\//-}.test" \
    -test.count="${COUNT:-${counts[$dir]:-5}}" -test.timeout=120m -test.run="${moves[$dir]:-.}" &
  running=$((running + 1))
done
while [ $running -gt 0 ]; do wait -n; running=$((running - 1)); done
kill "${load[@]}" 2>/dev/null
wait "${load[@]}" 2>/dev/null
load=()

if [ "$browser" != - ]; then
  test/setup.sh && test/ui.sh || exit 1
  export KUBE=required E2E=required THROTTLE=$throttle
  (step "browser, $throttle times slower" go test -count=1 -timeout 120m -v -run "$browser" ./test/e2e)
fi

echo
echo "soak: under the race detector with $((2 * $(nproc))) processes of load, browser ${throttle} times slower"
sed 's/^/  /' "$log"/*.how
if grep -q '^FAIL' "$log"/*.how; then
  echo "soak: failed; the whole output is in $log"
  exit 1
fi
rm -rf "$log"
