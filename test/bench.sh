#!/usr/bin/env bash
# bench.sh : every measurement of docs/performance.md in one run. PODS scales the
# large estate; a million pods want 8 GiB of memory.
set -euo pipefail
cd "$(dirname "$0")/.."
export BENCH=1 PODS=${PODS:-1000000}
grep -m1 'model name' /proc/cpuinfo || true
echo "$(nproc) cores; $(go version)"
SCANNERS=$(test/scanners.sh syft=github.com/anchore/syft/cmd/syft@v1.57.1 grype=github.com/anchore/grype/cmd/grype@v0.121.2 \
  trivy=github.com/aquasecurity/trivy/cmd/trivy@v0.74.0)
export SCANNERS
quiet() { grep -v -e '^=== ' -e '^--- ' -e '^PASS'; }
go test ./bench -run 'Measure' -v -count=1 -timeout 60m | quiet
go test ./test/hostile -run 'TestASourceAtFullTilt' -v -count=1 | quiet
go test ./bench -run 'TestQueriesAgree' -v -count=1 -timeout 60m | quiet
go test ./analyse -run '^$' -bench "Recompute30k|Recommend" -benchtime 5x | quiet
