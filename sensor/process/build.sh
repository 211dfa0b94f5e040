#!/usr/bin/env bash
# build.sh [OUT] : compiles program.bpf.c to program.bpf.o, the same bytes wherever
# it is run: with one release of clang, without debug information (only the type
# information that loading needs is kept), and from a folder it does not name.
set -euo pipefail
out=$(realpath -m "${1:-"$(dirname "$0")/program.bpf.o"}")
cd "$(dirname "$0")"
clang=${CLANG:-clang-14} strip=${LLVM_STRIP:-llvm-strip-14}
for tool in "$clang" "$strip"; do
  command -v "$tool" >/dev/null && continue
  echo "build.sh: no $tool: install Debian's clang-14 and llvm-14, with which the committed object was made" >&2
  exit 1
done
"$clang" -target bpfel -mcpu=v3 -O2 -g -Wall -Werror -ffile-prefix-map="$PWD"=. -fdebug-compilation-dir=. -c program.bpf.c -o "$out"
"$strip" -g "$out"
