#!/usr/bin/env bash
# Installs the Debian packages that a cluster and its nodes need, without starting a daemon; returns at once when they are there.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly packages=(
  containerd runc containernetworking-plugins               # what a node runs pods with
  conntrack ebtables ethtool iptables iproute2 kmod socat   # what kubeadm's preflight and the kubelet look for
  curl dpkg-dev jq openssl procps util-linux                # what these scripts use
  hyperfine inotify-tools perl strace time                  # what ../bench measures with
)
readonly policy=/usr/sbin/policy-rc.d

missing() {
  local package
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || printf '%s\n' "$package"
  done
}

main() {
  local wanted
  mapfile -t wanted < <(missing)
  ((${#wanted[@]})) || return 0
  exec 9>/run/lock/kubejoin-deps.lock
  flock 9
  say "installing ${wanted[*]}"
  # Debian's packages start their daemons unless policy-rc.d forbids it (101).
  trap put_back_policy EXIT
  [[ ! -e $policy || -e $policy.kubejoin-saved ]] || mv "$policy" "$policy.kubejoin-saved"
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 0755 "$policy"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q -o DPkg::Lock::Timeout=600 update
  apt-get -q -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "${wanted[@]}"
}

put_back_policy() {
  rm -f "$policy"
  [[ ! -e $policy.kubejoin-saved ]] || mv "$policy.kubejoin-saved" "$policy"
}

main "$@"
