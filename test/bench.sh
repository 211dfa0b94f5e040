#!/usr/bin/env bash
# bench.sh : every measurement of docs/performance.md in one run. PODS scales the
# large estate; a million pods want 8 GiB of memory.
set -euo pipefail
cd "$(dirname "$0")/.."
export BENCH=1 PODS=${PODS:-1000000}
grep -m1 'model name' /proc/cpuinfo || true
echo "$(nproc) cores; $(go version)"
quiet() { grep -v -e '^=== ' -e '^--- ' -e '^PASS'; }
go test ./bench -run 'Measure' -v -count=1 -timeout 60m | quiet
go test ./test/hostile -run 'TestASourceAtFullTilt' -v -count=1 | quiet
go test ./bench -run 'TestQueriesAgree' -v -count=1 -timeout 60m | quiet
go test ./analyse -run '^$' -bench "Recompute30k|Recommend" -benchtime 5x | quiet
