#!/usr/bin/env bash
# Gives a cluster machines to join with: each a mount and UTS namespace over this machine's files, in the cluster's network.
#
#   node.sh new        RELEASE NAME               a fresh machine; nothing if it is there
#   node.sh run        RELEASE NAME -- COMMAND…   runs COMMAND on it, with its exit status
#   node.sh wait-ready RELEASE NAME [SECONDS]     waits (120 s) until the API server says that its Node is Ready
#   node.sh reboot     RELEASE NAME               ends its processes, empties /run, gives it a new boot id; disks stay
#   node.sh reset      RELEASE NAME               as `new` again: processes, Node, CSRs and files are gone
#   node.sh remove     RELEASE NAME               takes the machine away; the API server is not asked
#
# Everything that a machine writes outside /tmp, /root, /work and /dev lands in $state/nodes/NAME:
#   etc-kubernetes var-lib-kubelet etc-kubejoin var-lib-kubejoin run-kubejoin    the folders of those names
#   changes/{etc,usr,var}                             all else written there; hosts, resolv.conf, hostname are links into it
#   systemctl.log kubelet.log kubelet.pid             what the systemctl shim was asked, the kubelet's output and number
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# What a kubelet writes there would change this machine (panic_on_oops!), so a node has private copies.
readonly kernel_settings=(kernel/panic kernel/panic_on_oops kernel/keys/root_maxbytes kernel/keys/root_maxkeys
  vm/overcommit_memory vm/panic_on_oom kernel/random/boot_id)
readonly private_folders=(etc/kubernetes etc/kubejoin var/lib/kubelet var/lib/kubejoin)

main() {
  (($# >= 3)) || die "act on a node: usage: node.sh new|run|wait-ready|reboot|reset|remove RELEASE NAME"
  local verb=$1
  select_release "$2"
  name=$3
  shift 3
  [[ $name =~ ^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$ ]] || die "name a node \"$name\": it must be a DNS name in lower case"
  [[ -s $state/env || $verb == remove ]] || die "use the $release cluster: it is not up; run up.sh $release"
  node=$state/nodes/$name
  memory=/dev/shm/kubejoin-$(cksum <<<"$node" | cut -d' ' -f1)
  namespace=$state/namespaces/$name
  case $verb in
    new) new_node ;;
    run) run_on_node "$@" ;;
    wait-ready) wait_ready "${1:-120}" ;;
    reboot) reboot_node ;;
    reset) reset_node ;;
    remove) remove_node ;;
    *) die "find the verb $verb: node.sh knows new, run, wait-ready, reboot, reset, remove" ;;
  esac
}

new_node() {
  [[ ! -d $node ]] || return 0
  local folder
  for folder in "${private_folders[@]}"; do mkdir -p "$node/${folder//\//-}"; done
  mkdir -p "$node"/changes/{etc,usr/bin,var/log/pods,var/log/containers} "$node"/work/{etc,usr,var} "$node/settings"
  lay_etc
  lay_units
  cp "$here/systemctl" "$node/changes/usr/bin/systemctl"
  ln -s "$bin/kubelet" "$node/changes/usr/bin/kubelet"
  for folder in "${kernel_settings[@]}"; do cat "/proc/sys/$folder" >"$node/settings/${folder//\//-}"; done
  boot
}

lay_etc() {
  local etc=$node/changes/etc file
  printf '%s\n' "$name" >"$etc/hostname"
  printf '127.0.0.1 localhost\n10.99.0.1 %s\n' "$name" >"$etc/hosts"
  # Nobody listens there, so a lookup fails at once; an unreachable server would cost seconds.
  printf 'nameserver 127.0.0.1\n' >"$etc/resolv.conf"
  tr -d - </proc/sys/kernel/random/uuid >"$etc/machine-id"
  for file in hostname hosts resolv.conf; do ln -s "changes/etc/$file" "$node/$file"; done
}

# The unit and drop-in as upstream's kubelet and kubeadm packages ship them; the shim starts what they say.
lay_units() {
  local units=$node/changes/usr/lib/systemd/system wants=$node/changes/etc/systemd/system/multi-user.target.wants
  mkdir -p "$units/kubelet.service.d" "$wants"
  cat >"$units/kubelet.service" <<'UNIT'
[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
UNIT
  cat >"$units/kubelet.service.d/10-kubeadm.conf" <<'UNIT'
# Note: This dropin only works with kubeadm and kubelet v1.11+
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
UNIT
  ln -s /usr/lib/systemd/system/kubelet.service "$wants/kubelet.service"
}

# boot: makes the namespaces and keeps them by mounts, so that they outlive every command that runs in them.
boot() {
  # In memory, as /run is on every machine.
  rm -rf "$memory"
  mkdir -m 0755 "$memory"
  ln -sfn "$memory" "$node/run-kubejoin"
  cat /proc/sys/kernel/random/uuid >"$node/settings/kernel-random-boot_id"
  : >"$namespace.mnt"
  : >"$namespace.uts"
  export -f mount_everything
  unshare --mount="$namespace.mnt" --uts="$namespace.uts" --propagation private \
    bash -euo pipefail -c 'mount_everything "$@"' - "$state" "$name" "${private_folders[*]}" "${kernel_settings[*]}"
}

# mount_everything STATE NAME FOLDERS SETTINGS: lays the machine's view of the files; runs inside the new namespaces.
mount_everything() {
  local state=$1 name=$2 node=$1/nodes/$2 folder
  hostname "$name"
  # Copies of the mounts that keep namespaces would keep them for longer than their owner wants.
  findmnt -rno TARGET -t nsfs | xargs -r umount
  for folder in etc usr var; do
    mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$node/changes/$folder,workdir=$node/work/$folder" "/$folder"
  done
  mount -t tmpfs -o mode=0755 tmpfs /run
  mkdir -p /run/lock /run/containerd /run/kubejoin
  ln -s "$node" /run/node
  mount --bind "$state/containerd/run" /run/containerd
  mount --bind "$node/run-kubejoin" /run/kubejoin
  for folder in $3; do
    mkdir -p "/$folder"
    mount --bind "$node/${folder//\//-}" "/$folder"
  done
  for folder in $4; do mount --bind "$node/settings/${folder//\//-}" "/proc/sys/$folder"; done
}

run_on_node() {
  [[ ${1:-} == -- ]] && shift
  (($#)) || die "run on $name: usage: node.sh run RELEASE NAME -- COMMAND…"
  [[ -d $node ]] || die "run on $name: there is no such node; run node.sh new $release $name"
  exec nsenter --net="$netns" --mount="$namespace.mnt" --uts="$namespace.uts" --wdns="$PWD" env "PATH=/usr/bin:$PATH" "$@"
}

wait_ready() {
  local status watcher
  exec 3< <(in_netns timeout "$1" "$bin/kubectl" --kubeconfig "$state/cp/admin.conf" get nodes --watch \
    --field-selector "metadata.name=$name" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}{"\n"}')
  watcher=$!
  while read -r -u 3 status; do
    if [[ $status == True ]]; then
      kill "$watcher"
      return 0
    fi
  done
  die "see $name Ready within $1 s: see $node/kubelet.log"
}

reboot_node() {
  end_processes
  unmount_namespaces
  boot
}

reset_node() {
  remove_node
  delete_objects
  new_node
}

remove_node() {
  end_processes
  unmount_namespaces
  rm -rf "$node" "$memory"
}

# end_processes: ends all that runs in the machine's mount namespace, known by that alone.
end_processes() {
  mountpoint -q "$namespace.mnt" || return 0
  signal_processes TERM
  until_true 10 processes_gone || signal_processes KILL
  until_true 10 processes_gone || die "end the processes of $name"
}

node_processes() {
  local process
  for process in /proc/[0-9]*; do
    # shellcheck disable=SC2015 # only the last test prints
    [[ $process/ns/mnt -ef $namespace.mnt ]] && printf '%s\n' "${process##*/}" || true
  done
}

signal_processes() {
  local pid
  for pid in $(node_processes); do kill "-$1" "$pid" 2>/dev/null || true; done
}

processes_gone() { [[ -z $(node_processes) ]]; }

unmount_namespaces() {
  local kind
  for kind in mnt uts; do
    ! mountpoint -q "$namespace.$kind" || umount "$namespace.$kind"
    rm -f "$namespace.$kind"
  done
}

# delete_objects: the Node, and the CSRs that ask for its name.
delete_objects() {
  local csr request
  admin delete node "$name" --ignore-not-found >/dev/null
  admin get csr -o json | jq -r '.items[] | "\(.metadata.name) \(.spec.request)"' | while read -r csr request; do
    # shellcheck disable=SC2015 # deleting is the only effect
    base64 -d <<<"$request" | openssl req -noout -subject -nameopt multiline | grep -qE "commonName += system:node:$name\$" &&
      admin delete csr "$csr" --ignore-not-found >/dev/null || true
  done
}

main "$@"
