#!/bin/sh
# version.sh vX.Y.Z : writes go.mod for a Kubernetes version. k8s.io/kubernetes
# names its staging modules as v0.0.0 and replaces them by folders; replaces of
# a dependency are ignored, so the list is repeated here with published versions.
set -eu
v=$1; staging=v0.${v#v1.}; cd "$(dirname "$0")"
mod=$(go mod download -json "k8s.io/kubernetes@$v" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
{
  echo "module breakwater.test/kubernetes"; echo
  grep -E '^go [0-9]' "$mod"; echo
  grep -E '^godebug ' "$mod" || true; echo
  echo "require k8s.io/kubernetes $v"; echo
  echo "replace ("
  grep -E '=> ./staging/' "$mod" | awk -v s="$staging" '{printf "\t%s => %s %s\n",$1,$1,s}'
  echo ")"
} > go.mod
