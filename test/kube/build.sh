#!/bin/sh
# build.sh : builds etcd, kube-apiserver, kube-controller-manager, kubectl and kubelet
# from the Go module proxy, once per version, and prints the folder they are in.
# build.sh -n only prints the folder. About 15 CPU minutes and 3 GB of build
# cache when cold; the binaries are 310 MB.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
from="kubernetes/go.mod kubernetes/go.sum etcd/go.mod etcd/go.sum build.sh"
# shellcheck disable=SC2086 # a list
key=$(cd "$here" && { cat $from; go env GOVERSION GOOS GOARCH; } | sha256sum | cut -c1-16)
out=${BREAKWATER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/breakwater}/kube/$key
[ "${1:-}" = -n ] && { echo "$out"; exit; }
commands="etcd kube-apiserver kube-controller-manager kubectl kubelet"
mkdir -p "$out"
version=$(sed -n 's/^require k8s.io\/kubernetes //p; s/^[[:space:]]k8s.io\/kubernetes \(v[^ ]*\)$/\1/p' "$here/kubernetes/go.mod" | head -1)
minor=$(echo "$version" | cut -d. -f2)
v=k8s.io/component-base/version
flags="-s -w -X $v.gitVersion=$version -X $v.gitMajor=1 -X $v.gitMinor=$minor -X $v.gitTreeState=clean"
flags="$flags -X k8s.io/client-go/pkg/version.gitVersion=$version"
i=0
for c in $commands; do
  i=$((i + 1))
  [ -x "$out/$c" ] && continue
  echo "[$i/5] building $c ..." >&2
  # A finished binary appears at once or not at all: builds may be cut short.
  if [ "$c" = etcd ]; then
    (cd "$here/etcd" && CGO_ENABLED=0 nice go build -mod=readonly -trimpath -ldflags '-s -w' -o "$out/.$c.$$" go.etcd.io/etcd/server/v3)
  else
    (cd "$here/kubernetes" && CGO_ENABLED=0 nice go build -mod=readonly -trimpath \
      -tags grpcnotrace,osusergo,netgo -ldflags "$flags" -o "$out/.$c.$$" "k8s.io/kubernetes/cmd/$c")
  fi
  mv "$out/.$c.$$" "$out/$c"
done
echo "$out"
