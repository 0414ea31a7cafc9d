#!/usr/bin/env bash
# Ends what up.sh and node.sh started for one release, by recorded process, and removes its network, mounts and folder.
#
#   down.sh 1.20|1.37
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

main() {
  local node program
  (($# == 1)) || die "stop a cluster: usage: down.sh RELEASE"
  select_release "$1"
  [[ -e $state/is-a-kubejoin-cluster ]] || return 0
  for node in "$state"/nodes/*/; do
    [[ -d $node ]] && "$here/node.sh" remove "$release" "$(basename "$node")"
  done
  for program in "$bin/kube-controller-manager" "$bin/kube-apiserver" /usr/bin/containerd "$etcd"; do
    stop_process "$state/run/${program##*/}.pid" "$program"
  done
  [[ ! -e $netns ]] || ip netns delete "${netns##*/}"
  ! mountpoint -q "$state/namespaces" || umount "$state/namespaces"
  rm -rf "$state"
  remove_pod_cgroups
  say "Kubernetes $version is down"
}

# A kubelet leaves its tree of empty pod cgroups; it goes with the last cluster.
remove_pod_cgroups() {
  local trees
  compgen -G '/run/netns/kubejoin-*' >/dev/null && return
  mapfile -t trees < <(compgen -G '/sys/fs/cgroup/*/kubepods')
  ((${#trees[@]} == 0)) || find "${trees[@]}" -depth -type d -exec rmdir {} + || say "some pod cgroups are still in use"
}

main "$@"
