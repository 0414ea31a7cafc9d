#!/bin/bash
# Is the stand-in like the real thing? Real kubeadm joins a node against it, with the stand-in's kubelet and systemctl.
#
#   with-kubeadm.sh STANDIN KUBEADM 1.20|1.37 [STANDIN-ARGUMENTS...]
#
# Prints the requests; kubeadm's log when it failed. All of it happens in network and mount namespaces of its own: the machine's
# /etc/kubernetes and /var/lib/kubelet are covered, not touched.
set -euo pipefail
here=$(readlink -f "$(dirname "$0")")
if [[ ${IN_NAMESPACE:-} != yes ]]; then
  IN_NAMESPACE=yes exec unshare --net --mount "$0" "$(readlink -e "$1")" "$(readlink -e "$2")" "${@:3}"
fi
standin=$1 kubeadm=$2 release=$3
ip link set lo up # and an address with a default route, as kubeadm 1.20 wants one
ip link add va type veth peer name vb && ip addr add 10.99.0.1/24 dev va && ip link set va up && ip link set vb up && ip route add default dev va
work=$(mktemp -d)
trap '[[ ! ${pid:-} ]] || kill "$pid"; umount -R /etc /var/lib; rm -rf "$work"' EXIT
for folder in /etc /var/lib; do
  mkdir -p "$work/upper$folder" "$work/overlay$folder"
  mount -t overlay -o "lowerdir=$folder,upperdir=$work/upper$folder,workdir=$work/overlay$folder" overlay "$folder"
done
for folder in /etc/kubernetes /var/lib/kubelet; do
  mkdir -p "$folder" "$work/node$folder"
  mount --bind "$work/node$folder" "$folder"
done

exec 3< <(exec "$standin" "$work/standin" --release "$release" --port 6443 --healthz 10248 "${@:4}")
read -r -u 3 ready
pid=$(jq .pid <<<"$ready")
export STANDIN_DIR=$work/standin PATH=$here:$PATH
version=v1beta4 && [[ $release != 1.20 ]] || version=v1beta2
[[ $release != 1.20 ]] || export STANDIN_KUBELET_VERSION=v1.20.2
jq --arg version "$version" '{apiVersion: "kubeadm.k8s.io/\($version)", kind: "JoinConfiguration", nodeRegistration: {name: "node1"},
  discovery: {bootstrapToken: {apiServerEndpoint: .endpoint, token, caCertHashes: [.pin]}}}' <<<"$ready" >"$work/join.yaml"
status=0
"$kubeadm" join --config "$work/join.yaml" --ignore-preflight-errors=all >"$work/kubeadm.log" 2>&1 || status=$?
[[ ! -e $work/standin/kubelet.lock ]] || flock "$work/standin/kubelet.lock" true
cat "$work/standin/access.log"
if ((status != 0)); then
  cat "$work/kubeadm.log"
  exit $status
fi
grep -q '^This node has joined the cluster' "$work/kubeadm.log"
grep -q 'user=system:node:node1 201 POST /api/v1/nodes$' "$work/standin/access.log"
