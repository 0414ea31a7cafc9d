# The steps of a join, what they leave, and DynamicKubeletConfig.
# shellcheck shell=bash disable=SC2034,SC2154 # run.sh sources lib.sh before

joins_a_worker() { # S1
  joined
  must "it says so in kubeadm's words" grep -q '^This node has joined the cluster:$' "$kept/out"
  jq -e '.status.conditions[] | select(.type == "Ready") | .status == "True"' "$kept/node.json" >/dev/null || fail "the Node is not Ready"
  jq -e '.state == "success" and .nodeName == "ref-joined"' "$files/run-kubejoin/result.json" >/dev/null || fail "result.json says something else"
  jq -e '.metadata.labels | keys | map(select(contains("control-plane") or contains("master"))) == []' "$kept/node.json" >/dev/null || fail "it is no worker"
  must_not "it has parts of a control plane" test -n "$(find "$files/etc-kubernetes" -name 'manifests' -o -name 'admin.conf' -o -name 'etcd' -o -name 'ca.key')"
}

any_machine() { # S2
  # One that has never seen Kubernetes but for its packages, and the same after it has been reset.
  machine
  must "the machine is fresh" test -z "$(find "$files/etc-kubernetes" "$files/var-lib-kubelet" "$files/var-lib-kubejoin" -mindepth 1 -print -quit)"
  join "${pinned[@]}" --wait identity
  succeeds
  # A second join of a joined machine is told so, and harms nothing.
  local before
  before=$(left_by_the_join)
  join "${pinned[@]}" --wait identity
  fails 78 preflight.failed
  says "FileAvailable--etc-kubernetes-kubelet.conf"
  must "something of the first join has changed" test "$before" = "$(left_by_the_join)"
  must "the journal has forgotten the first join" grep -q '"joinedAt":"2' "$files/var-lib-kubejoin/journal.json"
  renew
  join "${pinned[@]}" --wait identity
  succeeds
}

left_by_the_join() { find "$files/etc-kubernetes" "$files"/var-lib-kubelet/pki/kubelet-client-* "$files/var-lib-kubelet/config.yaml" -type f -exec sha256sum {} + | sort; }

trust_in_both_directions() { # S3
  machine
  # The node does not trust the cluster: the cluster never hears the token.
  audit
  join "$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "$no_pin"
  fails 76 discovery.pin-mismatch
  must_not "the second stage began" asked '^system:bootstrap:'
  must_not "a CSR was made" csr
  nothing_is_left
  # The cluster does not trust the node: it gets no identity.
  join "$APISERVER" --discovery-token "$TOKEN" --tls-bootstrap-token zzzzzz.0000000000000000 --discovery-token-ca-cert-hash "$PIN"
  fails 77 cluster.unauthorized
  must_not "a CSR was made" csr
  nothing_is_left
}

steps_in_order() { # S37
  joined
  jq -r '.phases[].name' "$files/run-kubejoin/result.json" | tr '\n' ' ' >"$work/phases"
  must "the phases stand in the plan's order: $(<"$work/phases")" grep -qx 'preflight discovery cluster-config tls-bootstrap kubelet-config kubelet-run node ' "$work/phases"
  # cluster-info, then the token, then the CSR, then the node itself.
  awk '/\/kube-public\/configmaps\/cluster-info/ { a = NR } /configmaps\/kubeadm-config/ { b = NR } / create .*certificatesigningrequests/ { c = NR } /^system:node:/ && !d { d = NR }
    END { exit !(a && a < b && b < c && c < d) }' "$kept/requests" || fail "the requests have another order: $(<"$kept/requests")"
}

kubelet_after_the_cluster_is_known() { # S43
  joined
  local milestones
  milestones=$(jq -r '.milestones[].name' "$files/run-kubejoin/result.json" | tr '\n' ' ')
  [[ $milestones =~ trusted.*csr-sent.*certificate-on-disk.*kubelet-started ]] || fail "the milestones are: $milestones"
  must "the kubelet is started once" test "$(grep -cE ' (re)?start ' "$files/systemctl.log")" = 1
}

signed_by_the_control_plane() { # S44
  joined
  local pem=$files/var-lib-kubelet/pki
  pem=$pem/$(basename "$(readlink "$pem/kubelet-client-current.pem")")
  must "the cluster's CA has signed it" quietly openssl verify -purpose sslclient -CAfile "$CA" "$pem"
  must "it is the node's" grep -q 'O = system:nodes, CN = system:node:ref-joined' <<<"$(openssl x509 -in "$pem" -noout -subject)"
  must "it is the issued one" test "$(jq -r .status.certificate "$kept/csr.json" | base64 -d | openssl x509 -fingerprint -noout)" = "$(openssl x509 -in "$pem" -fingerprint -noout)"
}

definitive_identity() { # S45
  joined
  must "kubelet.conf names the certificate" grep -q 'client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem' "$files/etc-kubernetes/kubelet.conf"
  must "kubelet.conf is nobody else's" test "$(stat -c %a "$files/etc-kubernetes/kubelet.conf")" = 600
  must_not "bootstrap-kubelet.conf is left" test -e "$files/etc-kubernetes/bootstrap-kubelet.conf"
  must "the Node is made by the node" grep -q '^system:node:ref-joined create /api/v1/nodes[^/]* 201$' "$kept/requests"
}

# ---- DynamicKubeletConfig ----

dynamic_config() { # S41 S42
  machine
  # NodeRestriction, kubeadm's default, forbids a node to set its own source: said, not hidden.
  join "${pinned[@]}" --feature-gates DynamicKubeletConfig=true
  fails 77 node.config-source-refused
  says NodeRestriction
  no_secret_is_left
  "$cluster/node.sh" remove "$RELEASE" "$machine"
  # Without it: a cluster of its own.
  export KUBEJOIN_CLUSTER_DIR=$STATE-unrestricted KUBEJOIN_ADMISSION_PLUGINS=NamespaceLifecycle
  later "$cluster/down.sh" "$RELEASE"
  "$cluster/up.sh" "$RELEASE" 2>/dev/null
  use_cluster "$RELEASE"
  machine
  join "${pinned[@]}" --feature-gates DynamicKubeletConfig=true
  succeeds
  must "the first configuration is on disk" test -s "$files/var-lib-kubelet/config/init/kubelet"
  must "the kubelet has a dynamic folder" grep -q -- --dynamic-config-dir=/var/lib/kubelet/config/dynamic "$files/var-lib-kubelet/kubeadm-flags.env"
  kubectl get node "$machine" -o json | jq -e '.spec.configSource.configMap | .name == "kubelet-config-1.20" and .namespace == "kube-system" and .kubeletConfigKey == "kubelet"' >/dev/null ||
    fail "spec.configSource is not set: $(kubectl get node "$machine" -o json | jq -c .spec)"
  # The kubelet takes it up: it downloads the ConfigMap, ends, and runs on it after its restart.
  until_true 60 config_is_active || fail "the kubelet does not take it up: $(kubectl get node "$machine" -o json | jq -c .status.config)"
}
config_is_active() { kubectl get node "$machine" -o json | jq -e '.status.config.active.configMap.name == "kubelet-config-1.20"'; }

dynamic_config_is_refused() { # S41 S42
  machine
  join "${pinned[@]}" --feature-gates DynamicKubeletConfig=true
  fails 65 config.dynamic-kubelet-config
  nothing_is_left
  must_not "a CSR was made" csr
}

# ---- documents ----

alpha_document() { # S68
  machine
  cat >"$work/join.yaml" <<YAML
apiVersion: kubeadm.k8s.io/v1alpha1
kind: NodeConfiguration
token: "$TOKEN"
discoveryTokenAPIServers: ["$APISERVER"]
discoveryTokenCACertHashes: ["$PIN"]
YAML
  trial --config "$work/join.yaml"
  succeeds
  says "kubeadm.k8s.io/v1alpha1"
  says "[config.old-version]"
}

page_document() { # S71
  machine
  cat >"$work/join.yaml" <<YAML
apiVersion: kubeadm.k8s.io/v1alpha1
kind: NodeConfiguration
caCertPath: /etc/kubernetes/pki/cluster.crt
discoveryToken: "$TOKEN"
discoveryTokenAPIServers:
- 127.0.0.1:1
- $APISERVER
nodeName: page-node
tlsBootstrapToken: "$TOKEN"
token: "$TOKEN"
discoveryTokenCACertHashes:
- $no_pin
- $PIN
discoveryTokenUnsafeSkipCAVerification: false
YAML
  run "$KUBEJOIN" join phase kubelet-config --config "$work/join.yaml"
  succeeds
  must "caCertPath counts" cmp -s "$files/etc-kubernetes/pki/cluster.crt" "$CA"
  must "nodeName counts" grep -q -- --hostname-override=page-node "$files/var-lib-kubelet/kubeadm-flags.env"
  must "nodeName is in the certificate" grep -q 'CN = system:node:page-node' <<<"$(openssl x509 -noout -subject -in "$files/var-lib-kubelet/pki/$(basename "$(readlink "$files/var-lib-kubelet/pki/kubelet-client-current.pem")")")"
  renew
  kubeconfig "$work/file.conf"
  cat >"$work/join.yaml" <<YAML
apiVersion: kubeadm.k8s.io/v1alpha1
kind: NodeConfiguration
discoveryFile: file://$work/file.conf
tlsBootstrapToken: "$TOKEN"
YAML
  trial --config "$work/join.yaml"
  succeeds
  # No pin, and the flag that says so.
  cat >"$work/join.yaml" <<YAML
apiVersion: kubeadm.k8s.io/v1alpha1
kind: NodeConfiguration
token: "$TOKEN"
discoveryTokenAPIServers: ["$APISERVER"]
discoveryTokenUnsafeSkipCAVerification: true
YAML
  trial --config "$work/join.yaml"
  succeeds
}

old_documents() { # +
  machine
  local version
  for version in v1beta1 v1beta2 v1beta3 v1beta4; do
    document $version </dev/null
    trial --config "$work/join.yaml"
    [[ $status == 0 ]] || fail "$version does not join"
  done
  for version in v1alpha2:NodeConfiguration v1alpha3:JoinConfiguration; do
    cat >"$work/join.yaml" <<YAML
apiVersion: kubeadm.k8s.io/${version%:*}
kind: ${version#*:}
token: "$TOKEN"
discoveryTokenAPIServers: ["$APISERVER"]
discoveryTokenCACertHashes: ["$PIN"]
nodeRegistration: {criSocket: $NODE_CRI_SOCKET}
YAML
    trial --config "$work/join.yaml"
    [[ $status == 0 ]] || fail "${version%:*} does not join"
  done
  # One of another time to its end: the newest on the old cluster, the oldest on the new.
  if [[ $RELEASE == 1.20 ]]; then
    document v1beta4 <<<"nodeRegistration: {kubeletExtraArgs: [{name: node-labels, value: when=now}]}"
  else
    cat >"$work/join.yaml" <<YAML
apiVersion: kubeadm.k8s.io/v1alpha1
kind: NodeConfiguration
token: "$TOKEN"
discoveryTokenAPIServers: ["$APISERVER"]
discoveryTokenCACertHashes: ["$PIN"]
YAML
  fi
  join --config "$work/join.yaml"
  succeeds
  must "the Node becomes Ready" "$cluster/node.sh" wait-ready "$RELEASE" "$machine" 60
}

only_in_a_document() { # S69
  machine
  mkdir "$work/patches"
  echo 'maxPods: 41' >"$work/patches/kubeletconfiguration0.yaml"
  echo '{"maxPods": 42, "podPidsLimit": 4096}' >"$work/patches/kubeletconfiguration1+merge.json"
  echo '[{"op": "add", "path": "/registryBurst", "value": 17}]' >"$work/patches/kubeletconfiguration2+json.json"
  document <<YAML
caCertPath: /etc/kubernetes/pki/cluster.crt
nodeRegistration:
  taints: [{key: reserved, value: ref, effect: NoSchedule}]
  kubeletExtraArgs: [{name: node-labels, value: "tier=edge,example.com/ref=1"}, {name: v, value: "1"}]
patches: {directory: $work/patches}
timeouts: {tlsBootstrap: 30s}
YAML
  join --config "$work/join.yaml"
  succeeds
  kubectl get node "$machine" -o json >"$work/node.json"
  jq -e '.spec.taints | any(.key == "reserved" and .value == "ref" and .effect == "NoSchedule")' "$work/node.json" >/dev/null || fail "the taint is missing: $(jq -c .spec "$work/node.json")"
  jq -e '.metadata.labels | .tier == "edge" and .["example.com/ref"] == "1"' "$work/node.json" >/dev/null || fail "a label is missing"
  jq -e '.status.capacity.pods == "42"' "$work/node.json" >/dev/null || until_true 20 node_has_pods 42 || fail "the patches are not applied in their order: $(jq -c .status.capacity "$work/node.json")"
  must "the merge patch counts" grep -qx 'podPidsLimit: 4096' "$files/var-lib-kubelet/config.yaml"
  must "the json patch counts" grep -qx 'registryBurst: 17' "$files/var-lib-kubelet/config.yaml"
  must "caCertPath counts" cmp -s "$files/etc-kubernetes/pki/cluster.crt" "$CA"
  # kubeletExtraArgs as a map, as it was up to v1beta3.
  renew
  document v1beta3 <<<'nodeRegistration: {kubeletExtraArgs: {node-labels: tier=edge, v: "1"}}'
  run "$KUBEJOIN" join phase kubelet-config --config "$work/join.yaml"
  succeeds
  must "the map counts" grep -q -- '--node-labels=tier=edge --v=1' "$files/var-lib-kubelet/kubeadm-flags.env"
}
node_has_pods() { kubectl get node "$machine" -o json | jq -e --arg n "$1" '.status.capacity.pods == $n'; }

for_automation() { # S57
  # The way of a first boot: the trust is baked into the image or comes with the metadata, and nobody types anything.
  machine
  mkdir -p "$files/changes/etc/cluster"
  kubeconfig "$work/trust.conf"
  on install -D -m 600 "$work/trust.conf" /etc/cluster/trust.conf
  cat >"$work/user-data" <<YAML
#cloud-config
write_files:
- path: /run/kubeadm/kubeadm-join-config.yaml
  content: |
    apiVersion: kubeadm.k8s.io/v1beta3
    kind: JoinConfiguration
    discovery: {file: {kubeConfigPath: /etc/cluster/trust.conf}, tlsBootstrapToken: $TOKEN}
    ---
    apiVersion: kubejoin/v1alpha1
    kind: FirstBoot
    wait: {for: identity}
YAML
  run "$KUBEJOIN" boot --source "file://$work/user-data"
  succeeds
  must "it has its identity" quietly openssl verify -CAfile "$CA" "$files/var-lib-kubelet/pki/$(basename "$(readlink "$files/var-lib-kubelet/pki/kubelet-client-current.pem")")"
  run "$KUBEJOIN" boot --source "file://$work/user-data"
  succeeds
  says "nothing to do"
}
