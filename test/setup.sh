#!/usr/bin/env bash
# setup.sh : what the tests need beyond Go and Node, installed once and cached.
# Without root (or apt) it says what is missing and goes on: those tests then
# skip and name their reason.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '\033[2m[setup]\033[0m %s\n' "$*" >&2; }

packages() { # command:debian-package …
  local missing=()
  for p in "$@"; do command -v "${p%%:*}" >/dev/null || missing+=("${p##*:}"); done
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    say "installing ${missing[*]} ..."
    apt-get update -qq >/dev/null &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null &&
      return
  fi
  say "missing: ${missing[*]} (install them to run every test)"
}
packages chromium:chromium docker-registry:docker-registry debootstrap:debootstrap \
  clang-14:clang-14 llvm-strip-14:llvm-14 pg_ctlcluster:postgresql runc:runc busybox:busybox-static containerd:containerd \
  /usr/lib/cni/bridge:containernetworking-plugins rpm:rpm db5.3_load:db5.3-util ruby:ruby composer:composer \
  skopeo:skopeo podman:podman

test/node.sh ui
test/node.sh test/e2e

say "Kubernetes for tests (built once, about ten minutes when cold) ..."
test/kube/build.sh >/dev/null
say "ready"
