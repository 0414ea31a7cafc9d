# What every script here shares: names, folders, messages, processes and bounded waiting; sourced, never run.
# shellcheck shell=bash disable=SC2034 # some of what select_release sets is for its callers

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=versions.sh
source "$here/versions.sh"

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
  say "unable to $*"
  exit 1
}

# select_release RELEASE: sets release, version, cache, bin (built programs), etcd, state (the cluster's folder) and netns (its network).
select_release() {
  local name
  release=${1:-}
  version=${kubernetes_versions[${release:-none}]:-}
  [[ $version ]] || die "find release \"$release\": the known ones are ${!kubernetes_versions[*]}"
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/kubejoin
  bin=$cache/kubernetes-$version/bin
  etcd=$cache/etcd-$etcd_version/bin/etcd
  state=${KUBEJOIN_CLUSTER_DIR:-/tmp/kubejoin-cluster-$release}
  name=kubejoin-${release//./-}
  # A cluster in a folder of one's own is a cluster of its own: two of one release can be up at once.
  [[ ! ${KUBEJOIN_CLUSTER_DIR:-} ]] || name+=-$(cksum <<<"$state" | cut -d' ' -f1)
  netns=/run/netns/$name
}

in_netns() { nsenter --net="$netns" "$@"; }
admin() { in_netns "$bin/kubectl" --kubeconfig "$state/cp/admin.conf" "$@"; }

# is_running PID-FILE PROGRAM: whether the process in PID-FILE lives and is PROGRAM, not a later owner of the same number.
is_running() {
  local pid exe
  [[ -s $1 ]] && read -r pid <"$1" && exe=$(readlink "/proc/$pid/exe") && [[ ${exe% (deleted)} == "$2" ]]
}

# stop_process PID-FILE PROGRAM: ends that process, at once if it has not gone after 10 s; returns when it is gone.
stop_process() {
  local pid
  if is_running "$1" "$2"; then
    read -r pid <"$1"
    kill "$pid"
    until_true 10 process_gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
    until_true 10 process_gone "$pid" || die "stop ${2##*/}: process $pid does not go"
  fi
  rm -f "$1"
}

process_gone() {
  local field
  # A zombie has ended; whoever started it may not have looked yet.
  ! { read -r _ _ field _ <"/proc/$1/stat"; } 2>/dev/null || [[ $field == Z ]]
}

# until_true SECONDS COMMAND...: tries COMMAND every 50 ms until it succeeds; fails after SECONDS.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.05
  done
}
