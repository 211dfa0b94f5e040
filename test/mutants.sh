#!/usr/bin/env bash
# mutants.sh [PACKAGE…] : small faults that no test of their package notices. With
# "changed" only on lines changed since the last commit or, on a branch, since it
# left main; a sample of them, for at most four minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
go build -o bin/mutants ./test/mutants
[ "${1:-}" = changed ] || exec bin/mutants "$@"
base=$(git merge-base HEAD origin/main 2>/dev/null || true)
if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then
  base=$(git rev-parse -q --verify HEAD~1) || { echo "mutants: there is no commit before this one to compare with"; exit 0; }
fi
exec bin/mutants -since "$base" -max 60 -time 4m
