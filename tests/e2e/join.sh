#!/usr/bin/env bash
# Joins real nodes to real clusters, old and new, with kubejoin and with kubeadm beside it; then breaks things and looks at what is said and left.
#
#   join.sh KUBEJOIN [RELEASE…]      default: 1.37 1.20
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cluster=$here/../cluster
kubejoin=$(realpath "$1")
shift
releases=("${@:-1.37}")
[[ $# -gt 0 ]] || releases=(1.37 1.20)
failures=0 checks=0

ok() { checks=$((checks + 1)); echo "  ok    $1"; }
bad() { checks=$((checks + 1)) failures=$((failures + 1)); echo "  FAIL  $1"; }
expect() { # expect TEXT CONDITION…
  local text=$1
  shift
  if "$@"; then ok "$text"; else bad "$text"; fi
}
node() { "$cluster/node.sh" "$@"; }
kubectl() { $IN_CLUSTER "$BIN/kubectl" --kubeconfig "$KUBECONFIG" "$@"; }

# files_of NODE: mode and path of what a join leaves, dates and socket names left out.
files_of() {
  local root=$1
  (cd "$root" && find etc-kubernetes var-lib-kubelet/config.yaml var-lib-kubelet/instance-config.yaml var-lib-kubelet/kubeadm-flags.env \
    var-lib-kubelet/pki/kubelet-client-* -printf '%m %y %p\n' 2>/dev/null) | sed -E 's/-20[0-9-]+\.pem/-DATE.pem/; s/ d etc-kubernetes$/ d etc-kubernetes/' | sort -k3
}

# node_of NODE: what a join decides of its Node, and nothing that the cluster adds later: its own name, ages and readiness are left out.
node_of() {
  kubectl get node "$1" -o json | jq -S --arg name "$1" '
    {labels: .metadata.labels, annotations: (.metadata.annotations // {} | del(.["node.alpha.kubernetes.io/ttl"])),
     taints: [.spec.taints[]? | select(.key | startswith("node.kubernetes.io/") | not)], spec: (.spec | del(.taints, .podCIDR, .podCIDRs))}
    | walk(if type == "string" then gsub($name; "NAME") else . end)'
}

# kubeadm 1.20 finds /run/containerd/containerd.sock, kubeadm 1.37 unix:///var/run/containerd/containerd.sock: one socket. kubejoin writes the
# latter for both, as it does not know the cluster's release when it asks the runtime; the kubelet of either takes either.
one_socket() { sed -E 's#(unix://)?(/var)?/run/containerd/containerd\.sock#SOCKET#g'; }

# leaves_nothing NODE: no secret and no half of a join.
leaves_nothing() {
  local root=$STATE/nodes/$1
  [[ -z $(find "$root/etc-kubernetes" "$root/var-lib-kubelet" "$root/var-lib-kubejoin" -type f ! -name last-result.json -print -quit) ]] &&
    ! grep -rqs "${TOKEN#*.}" "$root/etc-kubernetes" "$root/var-lib-kubelet" "$root/var-lib-kubejoin" "$root/run-kubejoin"
}

# refuses NODE STATUS ID ARGUMENTS…: joins, expecting that it fails with this exit status and error id and leaves nothing.
refuses() {
  local name=$1 wanted=$2 id=$3 status=0 out
  shift 3
  node new "$RELEASE" "$name" >/dev/null
  out=$(timeout 120 "$cluster/node.sh" run "$RELEASE" "$name" -- "$kubejoin" join "$@" 2>&1) || status=$?
  expect "$id: exit status $wanted" test "$status" = "$wanted"
  expect "$id: is named" grep -qF "[$id]" <<<"$out"
  expect "$id: no secret is shown" bash -c '! grep -qF "$1" <<<"$2"' _ "${TOKEN#*.}" "$out"
  expect "$id: nothing is left" leaves_nothing "$name"
  [[ $status == "$wanted" ]] || printf '%s\n' "$out" | sed 's/^/        /'
  node remove "$RELEASE" "$name" >/dev/null 2>&1 || true
}

run_release() {
  local pin_args status name
  "$cluster/build.sh" "$1"
  "$cluster/up.sh" "$1"
  # shellcheck disable=SC1090
  source <("$cluster/up.sh" "$1" --env 2>/dev/null || cat "${KUBEJOIN_CLUSTER_DIR:-/tmp/kubejoin-cluster-$1}/env")
  echo "Kubernetes $KUBERNETES_VERSION"
  pin_args=(--token "$TOKEN" --discovery-token-ca-cert-hash "$PIN")

  for name in e2e-kubejoin e2e-kubeadm; do node remove "$1" $name >/dev/null 2>&1 || true; kubectl delete node $name --ignore-not-found >/dev/null; done
  node new "$1" e2e-kubejoin >/dev/null
  status=0
  : >"$STATE/e2e.out"
  node run "$1" e2e-kubejoin -- "$kubejoin" join "$APISERVER" "${pin_args[@]}" --ignore-preflight-errors=all >"$STATE/e2e.out" 2>&1 || status=$?
  expect "kubejoin joins (exit status $status)" test "$status" = 0
  [[ $status == 0 ]] || cat "$STATE/e2e.out"
  expect "says so in upstream's words" grep -q '^This node has joined the cluster:' "$STATE/e2e.out"
  expect "its Node becomes Ready" node wait-ready "$1" e2e-kubejoin 120
  expect "result.json says success" jq -e '.state == "success" and .nodeName == "e2e-kubejoin"' "$STATE/nodes/e2e-kubejoin/run-kubejoin/result.json" --exit-status
  expect "no token is left on the node" bash -c '! grep -rqs "$1" "$2"/nodes/e2e-kubejoin/etc-kubernetes "$2"/nodes/e2e-kubejoin/var-lib-kube* "$2"/nodes/e2e-kubejoin/run-kubejoin' _ "${TOKEN#*.}" "$STATE"
  expect "the Node has the event of its join" bash -c 'for i in 1 2 3 4 5; do "$@" get events -n default --field-selector involvedObject.name=e2e-kubejoin,reason=Joined -o name | grep -q . && exit 0; done; exit 1' _ $IN_CLUSTER "$BIN/kubectl" --kubeconfig "$KUBECONFIG"

  node_of e2e-kubejoin >"$STATE/e2e-kubejoin.json"
  refuses e2e-twin 78 node.exists-ready "$APISERVER" "${pin_args[@]}" --node-name e2e-kubejoin --ignore-preflight-errors=all
  rm -rf "$STATE/e2e-kubejoin" && cp -a "$STATE/nodes/e2e-kubejoin" "$STATE/e2e-kubejoin"
  node reset "$1" e2e-kubejoin >/dev/null && node remove "$1" e2e-kubejoin >/dev/null # nodes of a cluster share the kubelet's ports

  node new "$1" e2e-kubeadm >/dev/null
  status=0
  node run "$1" e2e-kubeadm -- "$BIN/kubeadm" join "$APISERVER" "${pin_args[@]}" --ignore-preflight-errors=all >"$STATE/e2e-kubeadm.out" 2>&1 || status=$?
  expect "the oracle, real kubeadm, joins" test "$status" = 0
  expect "its Node becomes Ready" node wait-ready "$1" e2e-kubeadm 120
  expect "same files, same modes as kubeadm's" diff <(files_of "$STATE/nodes/e2e-kubeadm") <(files_of "$STATE/e2e-kubejoin")
  for file in etc-kubernetes/pki/ca.crt var-lib-kubelet/config.yaml; do
    expect "$file: same bytes as kubeadm's" cmp -s "$STATE/nodes/e2e-kubeadm/$file" "$STATE/e2e-kubejoin/$file"
  done
  for file in kubeadm-flags.env instance-config.yaml; do
    [[ -e $STATE/nodes/e2e-kubeadm/var-lib-kubelet/$file ]] || continue
    expect "$file: same text as kubeadm's" diff <(one_socket <"$STATE/nodes/e2e-kubeadm/var-lib-kubelet/$file" | sed 's/e2e-kubeadm/NAME/g') \
      <(one_socket <"$STATE/e2e-kubejoin/var-lib-kubelet/$file" | sed 's/e2e-kubejoin/NAME/g')
  done
  expect "the Node: same labels, annotations, taints and spec as kubeadm's" diff <(node_of e2e-kubeadm | one_socket) <(one_socket <"$STATE/e2e-kubejoin.json")
  expect "kubelet.conf: same text as the kubelet's own" diff -w "$STATE/nodes/e2e-kubeadm/etc-kubernetes/kubelet.conf" "$STATE/e2e-kubejoin/etc-kubernetes/kubelet.conf"

  refuses e2e-pin 76 discovery.pin-mismatch "$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "sha256:$(printf '%064d' 0)" --ignore-preflight-errors=all
  refuses e2e-secret 76 discovery.jws-mismatch "$APISERVER" --token "${TOKEN%.*}.aaaaaaaaaaaaaaaa" --discovery-token-ca-cert-hash "$PIN" --ignore-preflight-errors=all
  refuses e2e-unknown 77 discovery.token-unknown "$APISERVER" --token "zzzzzz.${TOKEN#*.}" --discovery-token-ca-cert-hash "$PIN" --ignore-preflight-errors=all
  refuses e2e-malformed 65 config.pin "$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash sha256:8d --ignore-preflight-errors=all

  # A short patience for the waits that must end by themselves.
  local config=$STATE/e2e-short.yaml
  cat >"$config" <<YAML
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken: {token: $TOKEN, apiServerEndpoint: "$APISERVER", caCertHashes: ["$PIN"]}
nodeRegistration: {ignorePreflightErrors: [all]}
timeouts: {tlsBootstrap: 3s, discovery: 3s}
YAML
  kubectl delete clusterrolebinding kubeadm:node-autoapprove-bootstrap >/dev/null
  refuses e2e-pending 69 bootstrap.csr-pending --config "$config"
  kubectl create clusterrolebinding kubeadm:node-autoapprove-bootstrap --clusterrole=system:certificates.k8s.io:certificatesigningrequests:nodeclient \
    --group=system:bootstrappers:kubeadm:default-node-token >/dev/null
  sed -i "s/$APISERVER/127.0.0.1:6/" "$config"
  refuses e2e-down 69 http.unreachable --config "$config"

  node reset "$1" e2e-kubeadm >/dev/null && node remove "$1" e2e-kubeadm >/dev/null
}

for release in "${releases[@]}"; do
  run_release "$release"
  [[ -n ${KEEP_CLUSTER:-} ]] || "$cluster/down.sh" "$release"
done
echo "$checks checks, $failures failed"
[[ $failures == 0 && $checks -gt 20 ]]
