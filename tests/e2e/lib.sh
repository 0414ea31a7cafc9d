# What the end-to-end tests share: messages, bounded waits, cached Debian roots; sourced, never run.
# shellcheck shell=bash disable=SC2034 # some names are for those who source this

e2e=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$e2e/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kubejoin

say() { printf '%(%T)T %s: %s\n' -1 "${0##*/}" "$*" >&2; }
die() {
  say "unable to $*"
  exit 1
}

# A node needs the first list; a virtual machine boots with both. They and the recipe are the cache's key.
readonly root_packages=(
  systemd-sysv udev dbus iproute2 ca-certificates kmod netbase procps cloud-init openssh-server
)
readonly machine_packages=(
  initramfs-tools linux-image-cloud-amd64 systemd-resolved sudo e2fsprogs cloud-guest-utils
  containerd runc containernetworking-plugins conntrack ethtool iptables socat mount
)

# key_of WORD...: a short name for exactly these words.
key_of() { printf '%s\n' "$@" | sha256sum | cut -c1-12; }

# root_tar SUITE PACKAGE...: prints the path of a Debian root with these packages; makes it when it is not in the cache.
root_tar() {
  local suite=$1 tar
  shift
  tar=$cache/root-$suite-$(key_of "$(declare -f root_tar)" "$@").tar
  if [[ ! -s $tar ]]; then
    say "making $tar"
    mkdir -p "$cache"
    # Caches of packages and documentation are of no use in a test. The machine's id mmdebstrap itself leaves to the first boot.
    # shellcheck disable=SC2016 # $1 is mmdebstrap's
    logged "make a root of Debian $suite" mmdebstrap --format=tar --variant=minbase --include="$(IFS=, && echo "$*")" \
      --aptopt='APT::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
      --customize-hook='rm -f "$1"/etc/ssh/ssh_host_*' \
      "$suite" "$tar.new"
    mv "$tar.new" "$tar"
  fi
  printf '%s\n' "$tar"
}

# logged WHAT COMMAND...: runs COMMAND with its output in a log, of which a failure shows the end.
logged() {
  local what=$1 log started=$SECONDS
  shift
  log=${logs:?}/${what//[^a-zA-Z0-9]/-}.log
  # In the background, as errexit is off in a function that is a condition.
  "$@" >"$log" 2>&1 &
  wait $! || {
    tail -n 20 "$log" >&2
    die "$what: the whole log is $log"
  }
  say "$what: took $((SECONDS - started)) s"
}

# await_line SECONDS FILE REGEX: returns as soon as a line of the growing FILE matches; fails after SECONDS.
await_line() {
  local watcher status=0
  exec {watcher}< <(exec tail -n +1 -F "$2" 2>/dev/null)
  timeout "$1" grep -qm1 -aE -- "$3" <&"$watcher" || status=1
  exec {watcher}<&-
  return "$status"
}

# await_exit SECONDS PID: returns when the process has gone; fails after SECONDS.
await_exit() { timeout "$1" tail --pid="$2" -f /dev/null; }

# start_cluster NAME: a real cluster of our own; sets what its env file says (NETNS, BIN, CP, PIN …).
start_cluster() {
  export KUBEJOIN_CLUSTER_DIR=/tmp/kubejoin-e2e-$1
  logged 'start the cluster' "$top/tests/cluster/up.sh" "$release"
  # shellcheck source=/dev/null
  source "$KUBEJOIN_CLUSTER_DIR/env"
  unset KUBECONFIG # a person's; admin names the file itself
}
readonly release=1.37

# With KUBEJOIN_E2E_KEEP set the cluster stays up for the next run.
stop_cluster() { [[ ! ${KUBEJOIN_CLUSTER_DIR:-} || ${KUBEJOIN_E2E_KEEP:-} ]] || "$top/tests/cluster/down.sh" "$release"; }

admin() { nsenter --net="$NETNS" "$BIN/kubectl" --kubeconfig "$CP/admin.conf" "$@"; }

# make_token: sets token_id and token_secret: a token that stands nowhere else, as it is searched for later. (The one of the examples
# is in every program with a table of digits.) Returns when cluster-info is signed for it.
make_token() {
  token_id=$(openssl rand -hex 3) token_secret=$(openssl rand -hex 8)
  admin create -f - >/dev/null <<YAML
apiVersion: v1
kind: Secret
type: bootstrap.kubernetes.io/token
metadata: {name: bootstrap-token-$token_id, namespace: kube-system}
stringData:
  token-id: "$token_id"
  token-secret: "$token_secret"
  usage-bootstrap-authentication: "true"
  usage-bootstrap-signing: "true"
  auth-extra-groups: system:bootstrappers:kubeadm:default-node-token
YAML
  admin -n kube-public wait configmap/cluster-info --for=jsonpath="{.data.jws-kubeconfig-$token_id}" --timeout=30s >/dev/null ||
    die "see cluster-info signed for the token"
}
