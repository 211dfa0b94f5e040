#!/usr/bin/env bash
# build.sh COMMAND… : builds commands with the portal in them, as bin/COMMAND, and says how far it is:
# a first build compiles about a thousand packages. Node.js and the compiler work at the same time. Beside each stands its
# bill of materials (bin/COMMAND.cdx.json). The same sources make the same bytes, wherever they lie.
set -euo pipefail
cd "$(dirname "$0")/.."
export CGO_ENABLED=0

# compile ARGUMENT… : go build, which says how many of the packages it has compiled. What else the compiler says is printed as it is.
compile() {
  go build -trimpath -v "$@" 2>&1 | awk -v draws="$([ -t 2 ] && echo 1)" '
    function said() { printf draws ? "\r\033[K[go] %s" : "[go] %s\n", line > "/dev/stderr"; told = 1 }
    /^go: downloading / { line = "fetched module " ++fetched ": " $3; if (draws || fetched % 25 == 1) said(); next }
    /^[^ :#]+$/ { line = "compiled package " ++compiled ": " $0; if (draws || compiled % 100 == 1) said(); next }
    { print > "/dev/stderr" }
    END { if (draws && told) printf "\n" > "/dev/stderr" }'
}

test/ui.sh & portal=$!
trap 'kill $portal 2>/dev/null || true' EXIT # npm ends with its script
compile ./cli                                # everything but the portal and the links
wait $portal
trap - EXIT
for command; do
  compile -tags ui -o bin/ "./cmd/$command"
  go run ./test/supply sbom "bin/$command" >"bin/$command.cdx.json"
done
