# What the tests share: a fresh machine, the program on it, questions to the cluster, bounded waiting; sourced by run.sh, never run.
# shellcheck shell=bash disable=SC2034,SC2154 # what is set here is for the tests

cluster=$here/../cluster
cleanups=()

# use_cluster RELEASE: the variables of its env (RELEASE, STATE, BIN, APISERVER, TOKEN, PIN, CA, KUBECONFIG, …) and $work, a folder that goes.
use_cluster() {
  # shellcheck source=/dev/null
  source "${KUBEJOIN_CLUSTER_DIR:-/tmp/kubejoin-cluster-$1}/env"
  [[ ${work:-} ]] || work=$(mktemp -d)
  secret=${TOKEN#*.}
  pinned=("$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "$PIN")
  out='' status=0
}

# later COMMAND…: runs when the test ends, the last one first.
later() { cleanups+=("$(printf '%q ' "$@")"); }

end_test() {
  local result=$? i
  set +e
  for ((i = ${#cleanups[@]} - 1; i >= 0; --i)); do eval "${cleanups[i]}" >/dev/null 2>&1; done
  rm -rf "$work"
  exit $result
}

# ---- what is claimed ----

fail() {
  printf '%s\n' "$1"
  [[ ! $out ]] || tail -n 40 <<<"$out" | sed 's/^/  | /'
  exit 1
}
must() { "${@:2}" || fail "$1"; }
must_not() { ! "${@:2}" || fail "$1"; }
quietly() { "$@" >/dev/null 2>&1; }

# succeeds: the last run ended with 0. fails STATUS ID: with STATUS and the error ID. Neither shows a secret.
succeeds() {
  [[ $status == 0 ]] || fail "exit status $status instead of 0"
  must_not "the token's secret is shown" grep -qF -e "$secret" <<<"$out"
}
fails() {
  [[ $status == "$1" ]] || fail "exit status $status instead of $1"
  grep -qF -e "[$2]" <<<"$out" || fail "the error is not [$2]"
  must_not "the token's secret is shown" grep -qF -e "$secret" <<<"$out"
}
says() { grep -qF -e "$1" <<<"$out" || fail "it does not say: $1"; }
says_not() { ! grep -qF -e "$1" <<<"$out" || fail "it says: $1"; }

# ---- the machine ----

# machine [NAME]: a fresh one; sets machine, and files, its folder seen from outside.
machine() {
  machine=${1:-ref-node}
  files=$STATE/nodes/$machine
  "$cluster/node.sh" remove "$RELEASE" "$machine" >/dev/null 2>&1 || true
  forget_node
  "$cluster/node.sh" new "$RELEASE" "$machine" >/dev/null
  later "$cluster/node.sh" remove "$RELEASE" "$machine"
}
# renew: the same machine as it was at first.
renew() {
  "$cluster/node.sh" remove "$RELEASE" "$machine" >/dev/null
  forget_node
  "$cluster/node.sh" new "$RELEASE" "$machine" >/dev/null
}
forget_node() {
  local uri
  # Raw calls: kubectl's discovery would cost more than the join.
  for uri in $(kubectl get --raw "/api/v1/nodes" | jq -r --arg name "$machine" '.items[] | select(.metadata.name | startswith($name)) | "/api/v1/nodes/" + .metadata.name') \
    $(kubectl get --raw "$csrs" | jq -r '.items[] | "'"$csrs"'/" + .metadata.name'); do
    kubectl delete --raw "$uri" >/dev/null || true
  done
}
csrs=/apis/certificates.k8s.io/v1/certificatesigningrequests

on() { "$cluster/node.sh" run "$RELEASE" "$machine" -- "$@"; }

# join ARGUMENTS…: kubejoin join on the machine; sets out (both outputs) and status. trial: the same as far as everything but writing is done:
# the cluster is proven, the token authenticates, the configuration is read.
join() { run "$KUBEJOIN" join "$@"; }
trial() { run "$KUBEJOIN" join phase cluster-config "$@"; }
run() {
  status=0
  out=$(on timeout 150 "$@" 2>&1 </dev/null) || status=$?
}
as_kubeadm() {
  ln -sf "$KUBEJOIN" "$work/kubeadm"
  run "$work/kubeadm" "$@"
}

# document [VERSION] <<<REST: a JoinConfiguration with the cluster's token and pin at $work/join.yaml; REST is added at its top level.
document() {
  cat >"$work/join.yaml" <<YAML
apiVersion: kubeadm.k8s.io/${1:-v1beta4}
kind: JoinConfiguration
discovery:
  bootstrapToken: {token: "$TOKEN", apiServerEndpoint: "$APISERVER", caCertHashes: ["$PIN"]}
YAML
  cat >>"$work/join.yaml"
}

no_secret_is_left() {
  must_not "a secret is left on the machine" grep -rqsF -e "$secret" "$files/etc-kubernetes" "$files/var-lib-kubelet" "$files/var-lib-kubejoin" "$files/run-kubejoin"
}
nothing_is_left() {
  no_secret_is_left
  must "something is left: $(find "$files/etc-kubernetes" "$files/var-lib-kubelet" "$files/var-lib-kubejoin" -type f ! -name last-result.json)" test -z \
    "$(find "$files/etc-kubernetes" "$files/var-lib-kubelet" "$files/var-lib-kubejoin" -type f ! -name last-result.json -print -quit)"
  must_not "the kubelet was started" grep -qsE ' (re)?start ' "$files/systemctl.log"
}
flags_env() { cat "$files/var-lib-kubelet/kubeadm-flags.env"; }

# ---- the cluster ----

kubectl() { $IN_CLUSTER "$BIN/kubectl" --kubeconfig "$KUBECONFIG" "$@"; }
real_kubeadm() { $IN_CLUSTER env "PATH=$BIN:$PATH" "$BIN/kubeadm" "$@"; }

# until_true SECONDS COMMAND…: every 50 ms.
until_true() {
  local end=$((SECONDS + $1))
  until "${@:2}" >/dev/null 2>&1; do
    ((SECONDS < end)) || return 1
    sleep 0.05
  done
}

cluster_info() { $IN_CLUSTER curl -sf -m 5 --cacert "$CA" "https://$APISERVER/api/v1/namespaces/kube-public/configmaps/cluster-info"; }

# token ID SECRET USAGES [GROUPS]: a bootstrap token made as kubeadm makes it, USAGES of signing,authentication; gone at the end of the test.
token() {
  local id=$1 usage fields=''
  for usage in ${3//,/ }; do fields+=", usage-bootstrap-$usage: \"true\""; done
  kubectl apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Secret
metadata: {name: bootstrap-token-$id, namespace: kube-system}
type: bootstrap.kubernetes.io/token
stringData: {token-id: "$id", token-secret: "$2", auth-extra-groups: "${4-system:bootstrappers:kubeadm:default-node-token}"$fields}
YAML
  later kubectl -n kube-system delete secret "bootstrap-token-$id" --wait=false
  [[ $3 != *signing* ]] || must "the cluster signs for token $id" until_true 40 is_signed "$id"
}
is_signed() { cluster_info | jq -e --arg key "jws-kubeconfig-$1" '.data[$key]'; }

# audit: from now on; requests: what joiners and nodes asked since, "USER VERB URI STATUS" a line.
audit() { audit_from=$(($(stat -c %s "$AUDIT_LOG") + 1)); }
requests() {
  tail -c "+$audit_from" "$AUDIT_LOG" | jq -r 'select(.user.username | . == "system:anonymous" or startswith("system:bootstrap:") or startswith("system:node:"))
    | select(.userAgent | startswith("kubejoin") or startswith("kubelet") or startswith("kubeadm")) | "\(.user.username) \(.verb) \(.requestURI) \(.responseStatus.code)"'
}
asked() { requests | grep -E -e "$1" >/dev/null; }

# csr: the one CSR of the machine that is there, as JSON.
csr() { kubectl get --raw "$csrs" | jq -ec '.items[0] // empty'; }
csr_name() { csr | jq -r .metadata.name; }

# without OBJECT…: deletes an RBAC object, and puts it back at the end of the test.
without() {
  kubectl get "$@" -o json | jq 'del(.metadata.resourceVersion, .metadata.uid, .metadata.creationTimestamp, .metadata.managedFields)' >"$work/${*: -1}.json"
  kubectl delete "$@" >/dev/null
  later kubectl create -f "$work/${*: -1}.json"
}
without_auto_approval() { without clusterrolebinding kubeadm:node-autoapprove-bootstrap; }

# ---- other servers ----

# authority NAME: a CA of our own; $work/NAME.crt, .key. certificate NAME CA: for 127.0.0.1 and localhost.
authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" -keyout "$work/$1.key" -out "$work/$1.crt" 2>/dev/null
}
certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$work/$1.key" -out "$work/$1.csr" 2>/dev/null
  openssl x509 -req -in "$work/$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -CAserial "$work/serial" -days 2 -extfile <(echo subjectAltName=IP:127.0.0.1,DNS:localhost) -out "$work/$1.crt" 2>/dev/null
}

# serve PORT FOLDER [CERTIFICATE-NAME]: server.py in the cluster's network; its requests stand in FOLDER.log.
serve() {
  local tls=()
  [[ ! ${3:-} ]] || tls=("$work/$3.crt" "$work/$3.key")
  mkdir -p "$2"
  : >"$2.log"
  exec {server}< <(exec $IN_CLUSTER python3 "$here/server.py" "$1" "$2" "${tls[@]}" 2>&1)
  later kill $!
  local ready
  read -r -t 20 -u "$server" ready && [[ $ready == ready ]] || fail "the server does not start: $ready"
}

# kubeconfig FILE [USER-FIELDS]: as a person writes it; without a user the mere cluster, which then has no name.
kubeconfig() {
  local name=kubernetes
  [[ $# != 1 ]] || name='""'
  cat >"$1" <<YAML
apiVersion: v1
kind: Config
clusters:
- name: $name
  cluster: {server: "https://$APISERVER", certificate-authority-data: $(base64 -w0 "$CA")}
YAML
  [[ $# == 1 ]] || cat >>"$1" <<YAML
contexts: [{name: here, context: {cluster: kubernetes, user: joiner}}]
current-context: here
users: [{name: joiner, user: {$2}}]
YAML
}
