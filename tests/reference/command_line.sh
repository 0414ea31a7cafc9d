# The command line: flags, documents, and the program in the place of kubeadm.
# shellcheck shell=bash disable=SC2034,SC2154 # run.sh sources lib.sh before

usage() { # S24
  machine
  run "$KUBEJOIN" join --help
  succeeds
  says "usage: kubejoin join"
  # Flags and the address in any order; several addresses, as 1.9 took them, of which one lives; an unknown flag is named.
  trial --token "$TOKEN" "$APISERVER" --discovery-token-ca-cert-hash "$PIN"
  succeeds
  trial 127.0.0.1:1 "${pinned[@]}"
  succeeds
  join "${pinned[@]}" --discovery-tokn x
  fails 64 usage.unknown-flag
  says "did you mean --discovery-token?"
  as_kubeadm join
  fails 1 config.discovery-missing
  nothing_is_left
}

help_ends_well() { # S32
  machine
  local help flag
  for help in -h --help; do
    run "$KUBEJOIN" join $help
    succeeds
    as_kubeadm join $help
    succeeds
    for flag in config cri-socket discovery-file discovery-token discovery-token-ca-cert-hash discovery-token-unsafe-skip-ca-verification feature-gates \
      ignore-preflight-errors node-name tls-bootstrap-token token; do says "--$flag"; done
  done
}

document_by_flag() { # S25 S70
  machine
  document </dev/null
  trial --config "$work/join.yaml"
  succeeds
  # What kubeadm takes beside it, and what not.
  trial --config "$work/join.yaml" --node-name other-node --ignore-preflight-errors Swap --v=5
  succeeds
  join --config "$work/join.yaml" --token "$TOKEN"
  fails 65 config.mixed-flags
  says "can not mix '--config' with arguments [token]"
  join --config "$work/absent.yaml"
  [[ $status != 0 ]] || fail "an absent document is no error"
  printf '%s\n' 'apiVersion: kubeadm.k8s.io/v1beta4' 'kind: ClusterConfiguration' >"$work/join.yaml"
  join --config "$work/join.yaml"
  fails 65 config.no-document
  nothing_is_left
}

cri_socket() { # S26
  machine
  # Without the flag the socket is found; the flag's form of 1.9, a bare path, is taken as well as a URL.
  run "$KUBEJOIN" join phase kubelet-config "${pinned[@]}" --cri-socket "$NODE_CRI_SOCKET"
  succeeds
  socket_is_told "unix://$NODE_CRI_SOCKET"
  renew
  run "$KUBEJOIN" join phase kubelet-config "${pinned[@]}"
  succeeds
  socket_is_told unix:///var/run/containerd/containerd.sock
  renew
  join "${pinned[@]}" --cri-socket /var/run/dockershim.sock
  fails 78 preflight.CRI
  says /var/run/dockershim.sock
  join "${pinned[@]}" --cri-socket tcp://127.0.0.1:1
  fails 65 config.cri-socket
  nothing_is_left
}
# By the kubelet's argument, or by its configuration where the cluster has that.
socket_is_told() {
  if [[ $RELEASE == 1.20 ]]; then
    must "kubelet's argument is: $(flags_env)" grep -q -- "--container-runtime=remote --container-runtime-endpoint=$1" "$files/var-lib-kubelet/kubeadm-flags.env"
  else
    must "instance-config.yaml is: $(<"$files/var-lib-kubelet/instance-config.yaml")" grep -qF "containerRuntimeEndpoint: \"$1\"" "$files/var-lib-kubelet/instance-config.yaml"
    must "config.yaml says the same" grep -qE "^containerRuntimeEndpoint: \"?$1\"?$" "$files/var-lib-kubelet/config.yaml"
  fi
}

feature_gates() { # S31
  machine
  local gate
  for gate in Auditing CoreDNS SelfHosting StoreCertsInSecrets; do
    trial "${pinned[@]}" --feature-gates "$gate=true"
    succeeds
  done
  trial "${pinned[@]}" --feature-gates Auditing=false,CoreDNS=TRUE,DynamicKubeletConfig=0,SelfHosting=f,StoreCertsInSecrets=F
  succeeds
  for gate in Audit=true Auditing=perhaps Auditing; do
    join "${pinned[@]}" --feature-gates "$gate"
    fails 65 config.feature-gate
  done
  nothing_is_left
}

node_name() { # S34
  machine
  audit
  join "${pinned[@]}" --node-name Ref-Node-Other
  succeeds
  must "the kubelet is told" grep -q -- --hostname-override=ref-node-other "$files/var-lib-kubelet/kubeadm-flags.env"
  kubectl get node ref-node-other -o json | jq -e '.metadata.labels["kubernetes.io/hostname"] == "ref-node-other"' >/dev/null || fail "there is no such Node"
  must "the certificate is the name's" test "$(csr | jq -r .spec.request | base64 -d | openssl req -noout -subject)" = 'subject=O = system:nodes, CN = system:node:ref-node-other'
  renew
  join "${pinned[@]}" --node-name 'ref_node!'
  fails 65 config.node-name
  nothing_is_left
}

verbosity() { # +
  machine
  local form
  for form in '--v 5' --v=5 -v5 '-v 5' -v=5; do
    # shellcheck disable=SC2086 # words
    trial "${pinned[@]}" $form
    succeeds
  done
  join "${pinned[@]}" --v=loud
  fails 64 usage.verbosity
}

phases() { # +
  machine
  run "$KUBEJOIN" join phase list
  succeeds
  local phase
  for phase in preflight discovery cluster-config tls-bootstrap kubelet-config kubelet-run node; do grep -q "^$phase " <<<"$out" || fail "$phase is not listed"; done
  run "$KUBEJOIN" join phase nonsense "${pinned[@]}"
  fails 64 usage.phase
  join "${pinned[@]}" --skip-phases nonsense
  fails 64 config.phase
  # One phase is no join: nothing says so.
  run "$KUBEJOIN" join phase preflight "${pinned[@]}" --ignore-preflight-errors SystemVerification  # cgroups v1, which no configuration excuses here
  succeeds
  says_not "This node has joined"
  nothing_is_left
  # upstream's names: kubelet-start is all that its phase does, kubelet-wait-bootstrap the wait; those of control planes do nothing.
  join "${pinned[@]}" --skip-phases preflight,kubelet-wait-bootstrap,control-plane-prepare/certs,check-etcd
  succeeds
  must "the kubelet is started" grep -qE ' restart ' "$files/systemctl.log"
  renew
  join "${pinned[@]}" --skip-phases kubelet-start,node
  succeeds
  says_not "This node has joined"
  must_not "the kubelet is started" grep -qsE ' (re)?start ' "$files/systemctl.log"
  must_not "a CSR was made" csr
}

dry_run() { # +
  machine
  audit
  join "${pinned[@]}" --dry-run
  succeeds
  says "/apis/certificates.k8s.io/v1/certificatesigningrequests"
  for file in /etc/kubernetes/kubelet.conf /etc/kubernetes/pki/ca.crt /var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env; do says "$file"; done
  says "systemctl restart"
  says_not "This node has joined"
  nothing_is_left
  must "there is no folder of it either" test -z "$(find "$files/etc-kubernetes" "$files/var-lib-kubelet" -mindepth 1 -print -quit)"
  must_not "a CSR was made" csr
}

in_kubeadms_place() { # +
  machine
  local command
  as_kubeadm version -o short
  succeeds
  grep -qxE 'v1\.[0-9]+\.[0-9]+' <<<"$out" || fail "tools read another version: $out"
  as_kubeadm version -o json
  jq -e '.clientVersion | .major == "1" and (.minor | test("^[0-9]+$")) and (.gitVersion | test("^v1\\."))' <<<"$out" >/dev/null || fail "tools read another version"
  as_kubeadm version -o yaml
  grep -qxE ' *gitVersion: v1\.[0-9]+\.[0-9]+' <<<"$out" || fail "tools read another version"
  as_kubeadm version
  grep -qE '^kubeadm version: .*GitVersion:"v1\.' <<<"$out" || fail "tools read another version"
  as_kubeadm config images list
  grep -qE '/pause:[0-9.]+$' <<<"$out" || fail "a template that looks for the pause image finds none: $out"
  for command in init "upgrade apply" "config migrate" "certs renew" "token list" alpha; do
    # shellcheck disable=SC2086 # words
    as_kubeadm $command
    [[ $status == 1 ]] || fail "kubeadm $command ends with $status"
    says "not this program"
  done
  # kubespray's line (roles/kubernetes/kubeadm/tasks/main.yml), and the lines that tools look for.
  document v1beta3 <<<"nodeRegistration: {name: $machine, criSocket: \"unix://$NODE_CRI_SOCKET\"}"
  ln -sf "$KUBEJOIN" "$work/kubeadm"
  run env "PATH=$work:/usr/bin:/usr/sbin" timeout -k 60s 60s kubeadm join --config "$work/join.yaml" \
    --ignore-preflight-errors=DirAvailable--etc-kubernetes-manifests --skip-phases=
  succeeds
  says "[preflight] Running pre-flight checks"
  says "[preflight] Reading configuration from the cluster..."
  says '[kubelet-start] Writing kubelet configuration to file "/var/lib/kubelet/config.yaml"'
  says '[kubelet-start] Writing kubelet environment file with flags to file "/var/lib/kubelet/kubeadm-flags.env"'
  says "[kubelet-start] Starting the kubelet"
  says "This node has joined the cluster:"
  renew
  # Errors are kubeadm's, too.
  as_kubeadm join "$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "$no_pin"
  fails 1 discovery.pin-mismatch
  grep -q '^error execution phase preflight: ' <<<"$out" || fail "tools look for another line"
  as_kubeadm join "$APISERVER" --token abcdef --discovery-token-ca-cert-hash "$PIN"
  [[ $status == 1 || $status == 3 ]] || fail "a bad token ends with $status"
}
