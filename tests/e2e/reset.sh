#!/usr/bin/env bash
# Joins and resets a real machine, with kubejoin and with real kubeadm: the same is left, and a join right after succeeds.
#
#   reset.sh KUBEJOIN [RELEASE…]      default: 1.37 1.20
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cluster=$here/../cluster
kubejoin=$(realpath "$1")
shift
releases=("${@:-1.37}")
[[ $# -gt 0 ]] || releases=(1.37 1.20)
failures=0 checks=0 name=e2e-reset

expect() { # expect TEXT COMMAND…
  checks=$((checks + 1))
  if "${@:2}"; then echo "  ok    $1"; else failures=$((failures + 1)) && echo "  FAIL  $1"; fi
}
node() { "$cluster/node.sh" "$@"; }
on() { node run "$RELEASE" "$name" -- timeout 150 "$@"; }
kubectl() { $IN_CLUSTER "$BIN/kubectl" --kubeconfig "$KUBECONFIG" "$@"; }
join() { on "$kubejoin" join "$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "$PIN" --ignore-preflight-errors=all; }

# What is left: files and folders with their modes, and mounts below the kubelet's folder.
left() {
  (cd "$STATE/nodes/$name" && find etc-kubernetes var-lib-kubelet -printf '%m %y %p\n' | sort)
  on awk '$2 ~ "^/var/lib/kubelet/"' /proc/mounts
}
fresh() {
  node remove "$RELEASE" $name >/dev/null 2>&1 || true
  kubectl delete node $name --ignore-not-found >/dev/null
  node new "$RELEASE" $name >/dev/null
}
# joined_and_used: a joined machine with a pod's mount on it, as a kubelet leaves it when it is stopped.
joined_and_used() {
  fresh
  join >"$STATE/reset-join.out" 2>&1 || { cat "$STATE/reset-join.out"; return 1; }
  # No blank in its name: kubeadm does not read those of /proc/mounts. kubejoin does, tests/unit/kubelet/reset_test.cc.
  on bash -c "mkdir -p /var/lib/kubelet/pods/pod/volumes && mount -t tmpfs tmpfs /var/lib/kubelet/pods/pod/volumes"
}

run_release() {
  local status
  "$cluster/up.sh" "$1"
  # shellcheck disable=SC1090
  source "${KUBEJOIN_CLUSTER_DIR:-/tmp/kubejoin-cluster-$1}/env"
  echo "Kubernetes $KUBERNETES_VERSION"

  expect "a machine joins" joined_and_used
  status=0 && on "$BIN/kubeadm" reset --force --cri-socket "$NODE_CRI_SOCKET" >"$STATE/reset-kubeadm.out" 2>&1 || status=$?
  expect "the oracle, real kubeadm, resets it (exit status $status)" test "$status" = 0
  left >"$STATE/reset-kubeadm.left"

  expect "another joins" joined_and_used
  left >"$STATE/reset-before"
  on "$kubejoin" reset --dry-run --cri-socket "$NODE_CRI_SOCKET" >"$STATE/reset-dry.out" 2>&1 || true
  expect "a dry run changes nothing" diff "$STATE/reset-before" <(left)
  status=0 && on "$kubejoin" reset --force --delete-node --cri-socket "$NODE_CRI_SOCKET" >"$STATE/reset-kubejoin.out" 2>&1 || status=$?
  expect "kubejoin resets it (exit status $status)" test "$status" = 0
  [[ $status == 0 ]] || cat "$STATE/reset-kubejoin.out"
  expect "the same is left" diff "$STATE/reset-kubeadm.left" <(left)
  expect "nothing of ours is left" test -z "$(find "$STATE/nodes/$name/var-lib-kubejoin" -type f)"
  expect "the kubelet is stopped" test "$(on systemctl is-active kubelet)" = inactive
  if kubectl get node $name >/dev/null 2>&1; then
    expect "the Node stays, as the cluster has it, and is named" grep -q "kubectl delete node $name" "$STATE/reset-kubejoin.out"
    kubectl delete node $name >/dev/null
  else
    echo "  ok    the Node is deleted"
  fi
  expect "a second reset has nothing to do" on "$kubejoin" reset --force --cri-socket "$NODE_CRI_SOCKET"
  expect "the machine joins again" join
  node reset "$1" $name >/dev/null && node remove "$1" $name >/dev/null
}

for release in "${releases[@]}"; do run_release "$release"; done
echo "$checks checks, $failures failed"
((failures == 0))
