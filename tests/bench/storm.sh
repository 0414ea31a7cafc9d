#!/usr/bin/env bash
# A boot storm: many machines obtain their identity at once from one real API server.
#
#   storm.sh KUBEJOIN [RELEASE]      JOINS=30 at once, after as many one by one
#
# Each machine is a folder (--root) without a service manager, so that no kubelet starts: what is measured is the way to the certificate.
# Beside it, what the same number of discoveries costs the API server, by kubejoin and by kubeadm.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cluster=$here/../cluster

main() {
  (($# >= 1)) || { echo "storm: usage: storm.sh KUBEJOIN [RELEASE]" >&2 && exit 64; }
  kubejoin=$(realpath -e "$1")
  release=${2:-1.37} joins=${JOINS:-30}
  "$cluster/up.sh" "$release"
  # shellcheck source=/dev/null
  source "${KUBEJOIN_CLUSTER_DIR:-/tmp/kubejoin-cluster-$release}/env"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  arguments=("$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "$PIN" --ignore-preflight-errors=all)
  printf '\nKubernetes %s, %d machines, %d cores\n' "$KUBERNETES_VERSION" "$joins" "$(nproc)"
  printf '%-36s %9s %9s %9s %9s  %s\n' '' p50 p90 p99 all 'API server, CPU each'
  line "kubejoin, one by one" alone one_by_one identity
  line "kubejoin, all at once" storm at_once identity
  line "kubejoin, discovery one by one" discovery one_by_one discover
  line "kubeadm, discovery one by one" kubeadm one_by_one discover_by_kubeadm
  [[ ${KEEP_CLUSTER:-} ]] || "$cluster/down.sh" "$release"
}

# identity ID: one machine gets its certificate. Its status is recorded, for `wait` forgets it.
identity() {
  mkdir -p "$work/$1"
  $IN_CLUSTER "$kubejoin" join "${arguments[@]}" --root "$work/$1" --node-name "$1" --wait identity >"$work/$1.log" 2>&1
}
discover() {
  mkdir -p "$work/$1"
  $IN_CLUSTER "$kubejoin" join phase cluster-config "${arguments[@]}" --root "$work/$1" --node-name "$1" >"$work/$1.log" 2>&1
}
discover_by_kubeadm() { $IN_CLUSTER env PATH=/nowhere "$BIN/kubeadm" join phase preflight "${arguments[@]}" --node-name "$1" >"$work/$1.log" 2>&1; }

timed() { # timed ID COMMAND
  local began=$EPOCHREALTIME status=0
  "$2" "$1" || status=$?
  printf '%d %s %s\n' "$status" "$began" "$EPOCHREALTIME" >"$work/$1.time"
}

one_by_one() { for ((i = 1; i <= joins; i++)); do timed "$1-$i" "$2"; done; }
at_once() {
  for ((i = 1; i <= joins; i++)); do timed "$1-$i" "$2" & done
  wait
}

apiserver_cpu() { # in milliseconds
  awk -v tick="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000 / tick }' "/proc/$(<"$STATE/run/kube-apiserver.pid")/stat"
}

line() { # line TITLE NAME HOW COMMAND
  local before began idle
  # What the API server takes by itself, on a cluster without nodes, is taken off.
  before=$(apiserver_cpu)
  sleep 5
  idle=$(awk -v a="$before" -v b="$(apiserver_cpu)" 'BEGIN { print (b - a) / 5 }')
  before=$(apiserver_cpu) began=$EPOCHREALTIME
  "$3" "$2" "$4"
  local took cpu
  took=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
  cpu=$(awk -v a="$before" -v b="$(apiserver_cpu)" -v idle="$idle" -v took="$took" -v n="$joins" 'BEGIN { print (b - a - idle * took) / n }')
  awk '$1 != 0' "$work/$2"-*.time | grep -q . && { cat "$work/$2"-*.log >&2 && exit 1; }
  awk '{ print ($3 - $2) * 1000 }' "$work/$2"-*.time | sort -n |
    awk -v title="$1" -v took="$took" -v cpu="$cpu" '{ ms[NR] = $1 } function p(q) { i = int(NR * q + 0.999999); return ms[i < 1 ? 1 : i] }
      END { printf "%-36s %6.0f ms %6.0f ms %6.0f ms %7.2f s  %.0f ms\n", title, p(.5), p(.9), p(.99), took, cpu }'
}

main "$@"
