#!/usr/bin/env bash
# Lets the real kubeadm join a fresh node, and keeps what it did in $state/oracle, to be compared with.
#
#   oracle.sh 1.20|1.37 [NAME]
#
# Prints kubeadm's exit status, its time, and the time to Ready. Left running: node NAME (default: oracle).
#   oracle/files.txt        mode, size, path of all that a join leaves
#   oracle/root/            those files, the Node's own view of paths
#   oracle/node.json        the Node; oracle/csr.json, its certificate request
#   oracle/requests.jsonl   audit events of the join, from any user that a joiner can be; requests.txt, one line each
#   oracle/systemctl.log, kubeadm.log, kubelet.log, join.yaml
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

main() {
  (($# == 1 || $# == 2)) || die "ask the oracle: usage: oracle.sh RELEASE [NAME]"
  select_release "$1"
  name=${2:-oracle}
  node=$state/nodes/$name
  kept=$state/oracle
  "$here/node.sh" reset "$release" "$name"
  rm -rf "$kept"
  mkdir -p "$kept/root"
  # shellcheck source=/dev/null
  source "$state/env"
  write_join_config
  join
  keep
}

write_join_config() {
  local api=v1beta4 socket=unix://$NODE_CRI_SOCKET
  [[ $release != 1.20 ]] || api=v1beta2 socket=$NODE_CRI_SOCKET
  cat >"$kept/join.yaml" <<YAML
apiVersion: kubeadm.k8s.io/$api
kind: JoinConfiguration
discovery:
  bootstrapToken: {apiServerEndpoint: "$APISERVER", token: $TOKEN, caCertHashes: ["$PIN"]}
nodeRegistration: {name: $name, criSocket: $socket}
YAML
}

join() {
  local ignored=SystemVerification status=0 started finished # this kernel's cgroups are v1
  [[ $release != 1.20 ]] || ignored+=,FileExisting-crictl # Debian has none
  audit_start=$(stat -c %s "$AUDIT_LOG")
  started=$EPOCHREALTIME
  "$here/node.sh" run "$release" "$name" -- "$bin/kubeadm" join --config "$kept/join.yaml" \
    --ignore-preflight-errors "$ignored" -v5 >"$kept/kubeadm.log" 2>&1 || status=$?
  finished=$EPOCHREALTIME
  printf 'kubeadm %s: exit status %d after %s s\n' "$version" "$status" "$(seconds_between "$started" "$finished")"
  ((status == 0)) || die "join with the real kubeadm: see $kept/kubeadm.log"
  "$here/node.sh" wait-ready "$release" "$name"
  printf 'Node %s: Ready after %s s\n' "$name" "$(seconds_between "$started" "$EPOCHREALTIME")"
}

seconds_between() { awk -v from="$1" -v to="$2" 'BEGIN { printf "%.3f", to - from }'; }

keep() {
  local folder
  for folder in etc/kubernetes var/lib/kubelet; do
    mkdir -p "$kept/root/$folder"
    cp -a "$node/${folder//\//-}/." "$kept/root/$folder"
    find "$node/${folder//\//-}" -printf "%M %s /$folder/%P %l\n"
  done | sort -k3 >"$kept/files.txt"
  cp "$node/systemctl.log" "$node/kubelet.log" "$kept"
  admin get node "$name" -o json >"$kept/node.json"
  admin get csr -o json | jq --arg user "system:bootstrap:${TOKEN%.*}" \
    '[.items[] | select(.spec.username == $user)] | sort_by(.metadata.creationTimestamp) | last' >"$kept/csr.json"
  tail -c "+$((audit_start + 1))" "$AUDIT_LOG" | jq -c --arg node "system:node:$name" \
    'select(.user.username | . == $node or . == "system:anonymous" or startswith("system:bootstrap:"))' >"$kept/requests.jsonl"
  jq -r '"\(.user.username) \(.verb) \(.requestURI) \(.responseStatus.code) \(.userAgent | split("/")[0])"' \
    "$kept/requests.jsonl" >"$kept/requests.txt"
}

main "$@"
