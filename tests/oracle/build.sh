#!/usr/bin/env bash
# Builds the oracles that are Go programs into the cache folder, once a version: build.sh cluster-api|ignition-validate
# Prints the program's path. What is in the cache is complete: it appears there by rename.
set -euo pipefail

readonly cluster_api=v1.13.6 # v1.14.2 cannot be built from the module proxy: it replaces modules by folders that the module lacks
readonly ignition=v2.24.0
readonly cache=${XDG_CACHE_HOME:-$HOME/.cache}/kubejoin
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=

clean_up() {
  [[ ! $work ]] || { chmod -R u+w "$work" && rm -rf "$work"; }
}
trap clean_up EXIT

# The machine's Go, with caches that are thrown away afterwards.
module_go() { CGO_ENABLED=0 GOCACHE=$work/build GOMODCACHE=$work/modules nice go "$@"; }

# place PROGRAM: the built program, under its version.
place() {
  mkdir -p "$(dirname "$1")"
  mv "$work/program" "$1"
}

build_cluster_api() {
  local module=$work/cluster-api
  cp -r "$(module_go mod download -json "sigs.k8s.io/cluster-api@$cluster_api" | jq -r .Dir)" "$module"
  chmod -R u+w "$module"
  mkdir "$module/bootstrap/kubeadm/user-data"
  cp "$here/user-data.go" "$module/bootstrap/kubeadm/user-data/main.go"
  cd "$module"
  module_go build -mod=mod -trimpath -ldflags '-s -w' -o "$work/program" ./bootstrap/kubeadm/user-data
}

build_ignition_validate() {
  mkdir "$work/ignition" && cd "$work/ignition"
  module_go mod init oracle
  module_go get "github.com/coreos/ignition/v2/validate@$ignition"
  module_go build -trimpath -ldflags '-s -w' -o "$work/program" github.com/coreos/ignition/v2/validate
}

case ${1:-} in
  cluster-api) program=$cache/cluster-api-$cluster_api/user-data-$(sha256sum "$here/user-data.go" | cut -c1-12) ;;
  ignition-validate) program=$cache/ignition-$ignition/ignition-validate ;;
  *) echo "build.sh: usage: build.sh cluster-api|ignition-validate" >&2 && exit 64 ;;
esac
if [[ ! -x $program ]]; then
  mkdir -p "$cache"
  exec 9>"$cache/oracle.lock"
  flock 9
fi
if [[ ! -x $program ]]; then
  for tool in go jq; do
    command -v "$tool" >/dev/null || { echo "build.sh: unable to find $tool" >&2 && exit 1; }
  done
  echo "build.sh: building $1 from the Go module proxy" >&2
  work=$(mktemp -d /tmp/kubejoin-oracle-XXXXXX)
  "build_${1//-/_}" >&2
  place "$program"
fi
echo "$program"
