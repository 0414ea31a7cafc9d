# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the caller gives $work, and uses what is set here
# A machine below a folder, and the API server that it can reach: what run.sh and ../demo.sh have in common.
#
# The caller runs in network, mount and host name namespaces of its own (in_namespaces) and has made the folder $work. Then:
#   $root     the machine's root folder; $state, the stand-in's folder; ${places[...]}, what {{placeholders}} stand for

stubs=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../standin")
template=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/root")

# in_namespaces COMMAND...: as root, or as a user whom the kernel lets be root of a namespace.
in_namespaces() {
  local options=(--net --mount --uts)
  [[ $EUID == 0 ]] || options+=(--map-root-user)
  unshare "${options[@]}" "$@"
}

# No network but the loopback, a known host name, no DNS.
isolate() {
  ip link set lo up
  hostname node1
  mkdir "$work/machine"
  printf '127.0.0.1 localhost node1\n::1 localhost\n' >"$work/machine/hosts"
  : >"$work/machine/resolv.conf"
  local file
  for file in hosts resolv.conf; do mount --bind "$work/machine/$file" "$(readlink -f /etc/$file)"; done
}

# A machine that passes preflight.
make_root() {
  root=$work/root
  local tool
  cp -r "$template" "$root"
  mkdir -p "$root"/{etc/systemd/system/multi-user.target.wants,run/containerd,run/systemd/system,usr/bin,var/lib}
  ln -s ../run "$root/var/run"
  for tool in ip iptables mount nsenter conntrack ebtables ethtool socat tc touch losetup cp crictl kubelet systemctl; do install -m 755 /dev/null "$root/usr/bin/$tool"; done
  ln -s /usr/lib/systemd/system/kubelet.service "$root/etc/systemd/system/multi-user.target.wants/"
}

# start_standin STANDIN ARGUMENTS...: sets standin_pid; fails when it does not come up. Its errors are in $work/standin-errors.
start_standin() {
  local ready key
  state=$work/standin
  mkdir "$state"
  declare -gA places=([root]=$root [case]=$work/case)
  [[ ${2:-} != none ]] || return 0
  exec 3< <(exec "$1" "$state" --port 6443 --healthz 10248 --cri "$root/run/containerd/containerd.sock" "${@:2}" 2>"$work/standin-errors")
  standin_pid=$!
  read -r -u 3 ready || return
  for key in endpoint token pin ca; do places[$key]=$(jq -r ".$key" <<<"$ready"); done
  places[token-id]=${places[token]%.*}
  places[secret]=${places[token]#*.}
  places[ca-pem]=$(<"${places[ca]}")
  places[ca-data]=$(base64 -w0 "${places[ca]}")
}

# as_machine COMMAND...: with the stand-in's kubelet and systemctl, and nothing of the caller's settings.
as_machine() (
  export PATH=$stubs:/usr/sbin:/usr/bin:/sbin:/bin STANDIN_DIR=$state STANDIN_ROOT=$root HOME=$root
  unset "${!LC_@}" LANG JOURNAL_STREAM NOTIFY_SOCKET https_proxy HTTPS_PROXY http_proxy HTTP_PROXY no_proxy NO_PROXY
  exec 3<&-
  "$@"
)

# Returns when the kubelet that a join started has ended.
await_kubelet() { [[ ! -e $state/kubelet.lock ]] || flock "$state/kubelet.lock" true; }
