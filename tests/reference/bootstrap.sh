# Who I am: the CSR and every way it can end, with the real approver and signer.
# shellcheck shell=bash disable=SC2034,SC2154 # run.sh sources lib.sh before

# joined: what one whole join of this release left behind, kept in $STATE/reference for the tests that look at it.
#   out, files/, requests, csr.json, node.json, result.json
joined() {
  kept=$STATE/reference
  files=$kept/files
  [[ -f $kept/out ]] && return
  machine ref-joined
  audit
  join "${pinned[@]}"
  succeeds
  must "the Node becomes Ready" "$cluster/node.sh" wait-ready "$RELEASE" "$machine" 60
  rm -rf "$kept"
  mkdir -p "$kept/files"
  requests >"$kept/requests"
  csr >"$kept/csr.json"
  kubectl get node "$machine" -o json >"$kept/node.json"
  local folder
  for folder in etc-kubernetes var-lib-kubelet var-lib-kubejoin run-kubejoin systemctl.log kubelet.log; do cp -aH "$STATE/nodes/$machine/$folder" "$kept/files"; done
  printf '%s\n' "$out" >"$kept/out"
  files=$kept/files
}

token_bootstraps_for_a_moment() { # S19
  joined
  jq -e --arg user "system:bootstrap:${TOKEN%.*}" '.spec.username == $user and (.spec.groups | index("system:bootstrappers:kubeadm:default-node-token"))' "$kept/csr.json" >/dev/null ||
    fail "the CSR is not the token's: $(jq -c .spec "$kept/csr.json")"
  # After the certificate nothing more is asked with it, and it stands nowhere.
  local own bootstrap
  bootstrap=$(grep -nE '^system:bootstrap:[^ ]* (get|list|create) ' "$kept/requests" | tail -n 1 | cut -d: -f1)
  own=$(grep -n '^system:node:' "$kept/requests" | head -n 1 | cut -d: -f1)
  [[ $own && $bootstrap ]] && ((bootstrap < own)) || fail "the token is used after the node has its own identity: $(<"$kept/requests")"
  must_not "a token is left" grep -rqsF -e "$secret" "$files"
}

key_is_made_here() { # S20
  joined
  local pem=$files/var-lib-kubelet/pki
  pem=$pem/$(basename "$(readlink "$pem/kubelet-client-current.pem")")
  must "the CSR is for the key on this disk" test "$(openssl pkey -in "$pem" -pubout)" = "$(jq -r .spec.request "$kept/csr.json" | base64 -d | openssl req -noout -pubkey)"
  must "so is the certificate" test "$(openssl pkey -in "$pem" -pubout)" = "$(openssl x509 -in "$pem" -noout -pubkey)"
  must "it is a P-256 key" grep -q prime256v1 <<<"$(openssl pkey -in "$pem" -noout -text)"
  must "nobody else reads it" test "$(stat -c %a "$pem")" = 600
}

approved_by_the_cluster() { # S21 S58
  joined
  jq -e '.status.conditions | length == 1 and .[0].type == "Approved" and .[0].reason == "AutoApproved"' "$kept/csr.json" >/dev/null || fail "it was not approved by the cluster: $(jq -c .status.conditions "$kept/csr.json")"
  jq -e '.spec.signerName == "kubernetes.io/kube-apiserver-client-kubelet" and (.spec.usages | sort) == ["client auth", "digital signature", "key encipherment"]' "$kept/csr.json" >/dev/null ||
    fail "it asks for something else: $(jq -c .spec "$kept/csr.json")"
  jq -r .spec.request "$kept/csr.json" | base64 -d | openssl req -noout -subject -text >"$work/csr.txt"
  must "its subject is a node's" grep -q '^subject=O = system:nodes, CN = system:node:ref-joined$' "$work/csr.txt"
  must_not "it asks for other names" grep -q 'Subject Alternative Name' "$work/csr.txt"
}

# start_pending COMMAND…: runs COMMAND on the machine until its CSR is there; sets joiner, its process, csr.
start_pending() {
  "$cluster/node.sh" run "$RELEASE" "$machine" -- timeout 150 "$@" >"$work/out" 2>&1 &
  joiner=$!
  later kill "$joiner"
  if ! until_true 60 csr_name; then
    out=$(<"$work/out")
    fail "there is no CSR"
  fi
  csr=$(csr_name)
}
await_joiner() {
  status=0
  wait "$joiner" || status=$?
  out=$(<"$work/out")
}
# While it runs, status ends with 75.
status() { on "$KUBEJOIN" status "$@" || [[ $? == 75 ]]; }
says_waiting() { status | grep -qF "kubectl certificate approve $csr"; }

blocks_until_approved() { # S59 S60 S61 S62
  machine
  # The page deletes a ClusterRole of this name; the object is, and was, a ClusterRoleBinding.
  without_auto_approval
  document <<<'timeouts: {tlsBootstrap: 120s}'
  start_pending "$KUBEJOIN" join --config "$work/join.yaml"
  [[ $csr =~ ^node-csr-[A-Za-z0-9_-]{43}$ ]] || fail "the CSR is called $csr"
  until_true 40 says_waiting || fail "status does not say what it waits for: $(status)"
  out=$(kubectl get csr)
  grep -qE "^$csr +[0-9a-z]+ .*system:bootstrap:${TOKEN%.*} .*Pending *$" <<<"$out" || fail "it is not pending"
  out=$(status -o json)
  jq -e --arg csr "$csr" '.state == "running" and .phase == "tls-bootstrap" and (.waitingFor | contains($csr))' <<<"$out" >/dev/null || fail "status tells a machine something else"
  # It goes on waiting, and nothing of an identity is there.
  sleep 1
  must "it waits" kill -0 "$joiner"
  must_not "kubelet.conf is there before the certificate" test -e "$files/etc-kubernetes/kubelet.conf"
  must_not "the kubelet is started before the certificate" grep -qE ' (re)?start ' "$files/systemctl.log"
  must_not "it says that it has joined" grep -q 'has joined' "$work/out"
  out=$(kubectl certificate approve "$csr")
  says "$csr approved"
  await_joiner
  succeeds
  says "This node has joined the cluster:"
  out=$(kubectl get csr)
  grep -qE "^$csr .*Approved,Issued *$" <<<"$out" || fail "it is not approved and issued"
}

survives_a_reboot() { # +
  machine
  without_auto_approval
  document <<<'timeouts: {tlsBootstrap: 120s}'
  mkdir -p "$files/changes/etc/kubejoin.d"
  start_pending "$KUBEJOIN" boot --source "file://$work/join.yaml"
  local first=$csr key
  until_true 40 test -s "$files/var-lib-kubelet/pki/kubelet-client.key.tmp" || fail "the key is not kept"
  key=$(sha256sum <"$files/var-lib-kubelet/pki/kubelet-client.key.tmp")
  "$cluster/node.sh" reboot "$RELEASE" "$machine"
  await_joiner
  start_pending "$KUBEJOIN" boot --source "file://$work/join.yaml"
  must "the CSR is the same" test "$csr" = "$first"
  until_true 40 says_waiting || fail "status does not say what it waits for: $(status)"
  must "the key is the same" test "$key" = "$(sha256sum <"$files/var-lib-kubelet/pki/kubelet-client.key.tmp")"
  must "there is one CSR" test "$(kubectl get --raw "$csrs" | jq '.items | length')" = 1
  kubectl certificate approve "$csr" >/dev/null
  await_joiner
  succeeds
  no_secret_is_left
}

pending_ends() { # +
  machine
  without_auto_approval
  document <<<'timeouts: {tlsBootstrap: 2s}'
  join --config "$work/join.yaml"
  fails 69 bootstrap.csr-pending
  says "kubectl certificate approve node-csr-"
  nothing_is_left
}

denied() { # +
  machine
  without_auto_approval
  document <<<'timeouts: {tlsBootstrap: 120s}'
  start_pending "$KUBEJOIN" join --config "$work/join.yaml"
  kubectl certificate deny "$csr" >/dev/null
  await_joiner
  fails 77 bootstrap.csr-denied
  says "reason: KubectlDeny"
  nothing_is_left
}

failed() { # +
  machine
  without_auto_approval
  document <<<'timeouts: {tlsBootstrap: 120s}'
  start_pending "$KUBEJOIN" join --config "$work/join.yaml"
  # As a signer does it, over the API that signers use.
  kubectl get --raw "$csrs/$csr" | jq '.status.conditions += [{type: "Failed", status: "True", reason: "SignerValidationFailure", message: "not today"}]' >"$work/failed.json"
  kubectl replace --raw "$csrs/$csr/status" -f "$work/failed.json" >/dev/null
  await_joiner
  fails 77 bootstrap.csr-failed
  says "not today"
  nothing_is_left
}

signer_missing() { # +
  machine
  without_auto_approval
  document <<<'timeouts: {tlsBootstrap: 30s}'
  local manager
  manager=$(<"$STATE/run/kube-controller-manager.pid")
  later kill -CONT "$manager"
  kill -STOP "$manager"
  start_pending "$KUBEJOIN" join --config "$work/join.yaml"
  kubectl certificate approve "$csr" >/dev/null
  until_true 40 says_unsigned || fail "status does not say that the signer is missing: $(status)"
  await_joiner
  fails 69 bootstrap.csr-unsigned
  says "kube-controller-manager"
  nothing_is_left
}
says_unsigned() { status | grep -qF "signer of $csr"; }

token_without_the_group() { # +
  machine
  token nogrup 3333333333333333 signing,authentication ''
  join "$APISERVER" --token nogrup.3333333333333333 --discovery-token-ca-cert-hash "$PIN"
  fails 77 cluster.forbidden
  says system:bootstrappers:kubeadm:default-node-token
  nothing_is_left
}

token_that_only_signs() { # +
  machine
  token signin 1111111111111111 signing
  join "$APISERVER" --token signin.1111111111111111 --discovery-token-ca-cert-hash "$PIN"
  fails 77 cluster.unauthorized
  says "may sign cluster-info but not authenticate"
  nothing_is_left
}

token_that_only_authenticates() { # +
  machine
  token authen 2222222222222222 authentication
  document <<<'timeouts: {discovery: 2s}'
  sed -i "s/$TOKEN/authen.2222222222222222/" "$work/join.yaml"
  join --config "$work/join.yaml"
  fails 77 discovery.token-unknown
  says "authen"
  nothing_is_left
}

kubelet_bootstraps_itself() { # +
  machine
  document <<'YAML'
---
apiVersion: kubejoin/v1alpha1
kind: FirstBoot
bootstrap: {by: kubelet}
wait: {for: identity}
YAML
  join --config "$work/join.yaml"
  succeeds
  [[ $(csr_name) == csr-* ]] || fail "the kubelet has not made the CSR: $(csr_name)"
  must_not "bootstrap-kubelet.conf is left" test -e "$files/etc-kubernetes/bootstrap-kubelet.conf"
  must "kubelet.conf is there" test -s "$files/etc-kubernetes/kubelet.conf"
  no_secret_is_left
}
