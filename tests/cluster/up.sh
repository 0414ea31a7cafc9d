#!/usr/bin/env bash
# Starts a real cluster of one release in a network namespace of its own: etcd, API server, controller manager, containerd.
#
#   up.sh 1.20|1.37
#
# $KUBEJOIN_ADMISSION_PLUGINS takes the place of NodeRestriction, kubeadm's default, when the API server is started.
# Up and healthy already: prints where it is and returns. Half dead: it is taken down (its nodes too) and started anew.
# What others need stands in $state/env, to be sourced; see README.md.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly token=abcdef.0123456789abcdef # the one of Kubernetes' own examples: no secret
readonly containerd=/usr/bin/containerd

main() {
  (($# == 1)) || die "start a cluster: usage: up.sh RELEASE"
  select_release "$1"
  exec 9>"$state.lock"
  flock 9
  if ! is_healthy; then
    "$here/deps.sh"
    "$here/build.sh" "$release"
    "$here/down.sh" "$release"
    lay_folders
    make_network
    make_certificates
    start etcd "$etcd" --data-dir "$state/etcd" --log-level warn
    start containerd "$containerd" --config "$state/containerd/config.toml"
    start_apiserver
    start_controller_manager
    make_cluster_objects
    until_true 240 cluster_info_is_signed || die "see cluster-info signed: see $state/log/kube-controller-manager.log"
    write_env
  fi
  say "Kubernetes $version is up: source $state/env"
}

is_healthy() {
  [[ -s $state/env ]] &&
    is_running "$state/run/etcd.pid" "$etcd" &&
    is_running "$state/run/containerd.pid" "$containerd" &&
    is_running "$state/run/kube-apiserver.pid" "$bin/kube-apiserver" &&
    is_running "$state/run/kube-controller-manager.pid" "$bin/kube-controller-manager" &&
    apiserver_is_ready && cluster_info_is_signed
}

lay_folders() {
  [[ ! -e $state ]] || die "use $state: it exists and is no cluster's folder"
  mkdir -p "$state"
  : >"$state/is-a-kubejoin-cluster" # down.sh removes no folder without it
  mkdir -p "$state"/{run,log,nodes,namespaces,cp,etcd,containerd/run,cni}
  chmod 0700 "$state/etcd"
  # The namespaces of nodes are kept by mounts, which need a private mount around them.
  mount --bind "$state/namespaces" "$state/namespaces"
  mount --make-private "$state/namespaces"
  cat >"$state/cni/10-bridge.conflist" <<JSON
{"cniVersion": "0.4.0", "name": "bridge", "plugins": [{"type": "bridge", "bridge": "cni0", "isGateway": true,
 "ipam": {"type": "host-local", "subnet": "10.244.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]}}]}
JSON
  cat >"$state/containerd/config.toml" <<TOML
version = 2
root = "$state/containerd/root"
state = "$state/containerd/state"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = "$state/containerd/run/containerd.sock"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "$state/cni"
TOML
}

# The kernel has no dummy device, so a veth pair inside carries the address that kubelet and kubeadm find by the default
# route. The unreachable route spares the old kubelet six seconds of asking for a cloud's metadata.
make_network() {
  ip netns add "${netns##*/}"
  in_netns ip -batch - <<'IP'
link set lo up
link add va type veth peer name vb
link set va up
link set vb up
address add 10.99.0.1/24 dev va
route add default via 10.99.0.254 dev va
route add unreachable 169.254.0.0/16
IP
  in_netns sysctl -qw net.ipv4.ip_forward=1
}

# The kubeadm configuration of the golden files. 127.0.0.1 is refused as advertiseAddress, hence the endpoint beside it.
write_kubeadm_config() {
  local api=v1beta4 socket=unix:///run/containerd/containerd.sock
  [[ $release != 1.20 ]] || api=v1beta2 socket=/run/containerd/containerd.sock
  cat >"$state/cp/kubeadm.yaml" <<YAML
apiVersion: kubeadm.k8s.io/$api
kind: InitConfiguration
bootstrapTokens:
- token: $token
  ttl: 0s
  usages: [signing, authentication]
  groups: [system:bootstrappers:kubeadm:default-node-token]
localAPIEndpoint: {advertiseAddress: 10.99.0.1, bindPort: 6443}
nodeRegistration: {name: cp, criSocket: "$socket"}
---
apiVersion: kubeadm.k8s.io/$api
kind: ClusterConfiguration
kubernetesVersion: v$version
clusterName: kubernetes
controlPlaneEndpoint: 127.0.0.1:6443
certificatesDir: /etc/kubernetes/pki
networking: {podSubnet: 10.244.0.0/16, serviceSubnet: 10.96.0.0/12}
apiServer:
  certSANs: [127.0.0.1, localhost]
YAML
  [[ $release != 1.20 ]] || return 0
  # From 1.35 on a kubelet refuses cgroup v1 unless told otherwise.
  cat >>"$state/cp/kubeadm.yaml" <<YAML
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
YAML
}

# init_phase CONFIG PHASE...: one phase of kubeadm init.
init_phase() {
  local config=$1
  shift
  in_netns env "PATH=$bin:$PATH" "$bin/kubeadm" init phase "$@" --config "$state/cp/$config" >>"$state/log/kubeadm-init.log" 2>&1 ||
    die "run kubeadm init phase $*: see $state/log/kubeadm-init.log"
}

make_certificates() {
  write_kubeadm_config
  # Ours go into the cluster's folder; what is uploaded names the nodes' folder.
  sed "s#^certificatesDir: .*#certificatesDir: $state/cp/pki#" "$state/cp/kubeadm.yaml" >"$state/cp/kubeadm-certs.yaml"
  init_phase kubeadm-certs.yaml certs all
  init_phase kubeadm-certs.yaml kubeconfig all --kubeconfig-dir "$state/cp"
  # These two take the advertised address, where nobody listens.
  sed -i 's#https://10.99.0.1:6443#https://127.0.0.1:6443#' "$state/cp/controller-manager.conf" "$state/cp/scheduler.conf"
}

# start NAME COMMAND...: runs COMMAND in the cluster's network, in a session of its own, its output and its number kept.
start() {
  local name=$1
  shift
  setsid nsenter --net="$netns" "$@" >"$state/log/$name.log" 2>&1 </dev/null 9>&- &
  echo $! >"$state/run/$name.pid"
}

start_apiserver() {
  local pki=$state/cp/pki old=()
  [[ $release != 1.20 ]] || old=(--insecure-port=0)
  cat >"$state/cp/audit-policy.yaml" <<'YAML'
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
YAML
  start kube-apiserver "$bin/kube-apiserver" --bind-address=127.0.0.1 --secure-port=6443 "${old[@]}" \
    --advertise-address=10.99.0.1 --endpoint-reconciler-type=none --allow-privileged=true \
    --authorization-mode=Node,RBAC --enable-admission-plugins="${KUBEJOIN_ADMISSION_PLUGINS:-NodeRestriction}" --enable-bootstrap-token-auth=true \
    --etcd-servers=http://127.0.0.1:2379 --service-cluster-ip-range=10.96.0.0/12 \
    --client-ca-file="$pki/ca.crt" --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
    --kubelet-client-certificate="$pki/apiserver-kubelet-client.crt" --kubelet-client-key="$pki/apiserver-kubelet-client.key" \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-account-key-file="$pki/sa.pub" --service-account-signing-key-file="$pki/sa.key" \
    --proxy-client-cert-file="$pki/front-proxy-client.crt" --proxy-client-key-file="$pki/front-proxy-client.key" \
    --requestheader-client-ca-file="$pki/front-proxy-ca.crt" --requestheader-allowed-names=front-proxy-client \
    --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
    --requestheader-extra-headers-prefix=X-Remote-Extra- \
    --audit-policy-file="$state/cp/audit-policy.yaml" --audit-log-path="$state/audit.log"
  until_true 240 apiserver_is_ready || die "see the API server ready: see $state/log/kube-apiserver.log"
}

apiserver_is_ready() {
  in_netns curl -sf -m 5 -o /dev/null --cacert "$state/cp/pki/ca.crt" https://127.0.0.1:6443/readyz
}

start_controller_manager() {
  local pki=$state/cp/pki conf=$state/cp/controller-manager.conf
  start kube-controller-manager "$bin/kube-controller-manager" --kubeconfig="$conf" \
    --authentication-kubeconfig="$conf" --authorization-kubeconfig="$conf" --bind-address=127.0.0.1 --leader-elect=false \
    --use-service-account-credentials=true --controllers='*,bootstrapsigner,tokencleaner' \
    --client-ca-file="$pki/ca.crt" --root-ca-file="$pki/ca.crt" --requestheader-client-ca-file="$pki/front-proxy-ca.crt" \
    --cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key" \
    --service-account-private-key-file="$pki/sa.key" \
    --allocate-node-cidrs=true --cluster-cidr=10.244.0.0/16 --service-cluster-ip-range=10.96.0.0/12
}

make_cluster_objects() {
  if [[ $release == 1.20 ]]; then
    # upload-config waits two minutes for the control plane's Node, to annotate it.
    admin create -f - >/dev/null <<'YAML'
apiVersion: v1
kind: Node
metadata: {name: cp, labels: {kubernetes.io/hostname: cp}}
YAML
  else
    # admin.conf is in a group without rights until the super admin gives it some.
    in_netns "$bin/kubectl" --kubeconfig "$state/cp/super-admin.conf" create clusterrolebinding kubeadm:cluster-admins \
      --clusterrole=cluster-admin --group=kubeadm:cluster-admins >/dev/null
  fi
  init_phase kubeadm.yaml upload-config all --kubeconfig "$state/cp/admin.conf"
  init_phase kubeadm.yaml bootstrap-token --kubeconfig "$state/cp/admin.conf"
  init_phase kubeadm.yaml addon kube-proxy --kubeconfig "$state/cp/admin.conf"
  [[ $release != 1.20 ]] || admin delete node cp --wait=false >/dev/null
}

cluster_info_is_signed() {
  in_netns curl -sf -m 5 --cacert "$state/cp/pki/ca.crt" https://127.0.0.1:6443/api/v1/namespaces/kube-public/configmaps/cluster-info |
    jq -e --arg key "jws-kubeconfig-${token%.*}" '.data[$key]' >/dev/null
}

write_env() {
  local pin
  pin=sha256:$(openssl x509 -in "$state/cp/pki/ca.crt" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1)
  local -A values=(
    [RELEASE]=$release [KUBERNETES_VERSION]=$version [STATE]=$state [BIN]=$bin
    [NETNS]=$netns [IN_CLUSTER]="nsenter --net=$netns"
    [APISERVER]=127.0.0.1:6443 [CP]=$state/cp [KUBECONFIG]=$state/cp/admin.conf [CA]=$state/cp/pki/ca.crt
    [TOKEN]=$token [PIN]=$pin
    [AUDIT_LOG]=$state/audit.log [CRI_SOCKET]=$state/containerd/run/containerd.sock [NODE_CRI_SOCKET]=/run/containerd/containerd.sock
  )
  local name
  for name in "${!values[@]}"; do printf 'export %s=%q\n' "$name" "${values[$name]}"; done | sort >"$state/env.new"
  mv "$state/env.new" "$state/env"
}

main "$@"
