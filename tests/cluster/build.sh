#!/usr/bin/env bash
# Builds the real Kubernetes programs of one release, and etcd, from source into the cache folder.
#
#   build.sh 1.20|1.37
#
# Complete already: returns at once. Interrupted: a second run goes on after the last whole program.
# The results appear by rename: what is in kubernetes-VERSION/bin is complete.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

step= # what is being done, while it can fail
readonly programs=(kubeadm kube-apiserver kube-controller-manager kubelet kubectl)

main() {
  (($# == 1)) || die "build: usage: build.sh RELEASE"
  select_release "$1"
  [[ ! -d $bin || ! -x $etcd ]] || return 0
  trap show_failed_step EXIT
  mkdir -p "$cache"
  # Two builds at once would only slow each other down, and both need etcd.
  exec 9>"$cache/build.lock"
  flock -n 9 || {
    say "waiting for another build"
    flock 9
  }
  build_all "etcd-$etcd_version" etcd_sources etcd_build etcd
  build_all "kubernetes-$version" "sources_$release" "build_$release" "${programs[@]}"
  say "$bin is complete"
}

# build_all NAME SOURCES BUILD PROGRAM...: fills $cache/NAME/bin; SOURCES fills its current folder, BUILD PROGRAM OUTPUT makes one program.
build_all() {
  local name=$1 sources=$2 build=$3 program
  shift 3
  [[ -d $cache/$name/bin ]] && return
  work=$cache/$name.building
  mkdir -p "$work/bin"
  if [[ ! -d $work/src ]]; then
    rm -rf "$work/src.new"
    mkdir "$work/src.new"
    logged "get the sources of $name" "$work/src.new" "$sources"
    mv "$work/src.new" "$work/src"
  fi
  for program; do
    [[ -x $work/bin/$program ]] && continue
    logged "build $program of $name" "$work/src" "$build" "$program" "$work/bin/.$program"
    mv "$work/bin/.$program" "$work/bin/$program"
  done
  rm -rf "${cache:?}/$name"
  mkdir -p "$cache/$name"
  mv "$work/bin" "$cache/$name/bin"
  drop_folder "$work"
  # The two releases share no compiler and no modules; etcd shares the current one's.
  [[ $name == etcd-* ]] || drop_folder "$cache/go"
}

# logged WHAT FOLDER COMMAND...: runs COMMAND in FOLDER, its output in a log, which a failure shows.
# (The script ends by errexit: `COMMAND || die` would switch that off inside COMMAND.)
logged() {
  local folder=$2 started=$SECONDS
  step=$1
  say "$step"
  (
    trap - EXIT
    cd "$folder"
    "${@:3}"
  ) >"$work/last.log" 2>&1
  say "$step: took $((SECONDS - started)) s"
  step=
}

show_failed_step() {
  [[ $step ]] || return 0
  tail -n 20 "$work/last.log" >&2
  say "unable to $step: the whole log is $work/last.log"
}

# drop_folder FOLDER: the module cache is read-only to its owner, too.
drop_folder() {
  [[ -d $1 ]] || return 0
  chmod -R u+w "$1"
  rm -rf "$1"
}

# module_go ARGUMENT...: the machine's Go, with caches of our own that can be thrown away; its other settings stay as they are.
module_go() {
  CGO_ENABLED=0 GOCACHE=$cache/go/build GOMODCACHE=$cache/go/modules go "$@"
}

# version_flags PACKAGE...: linker flags that make each PACKAGE say the release's version (User-Agent, skew checks).
version_flags() {
  local package flags='-s -w'
  for package; do
    flags+=" -X $package.gitVersion=v$version -X $package.gitMajor=${version%%.*} -X $package.gitMinor=$(cut -d. -f2 <<<"$version")"
  done
  printf '%s' "$flags"
}

etcd_sources() {
  cat >main.go <<'GO'
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
GO
  module_go mod init etcd
  module_go get "go.etcd.io/etcd/server/v3@v$etcd_version"
  module_go mod tidy
}

etcd_build() { module_go build -trimpath -ldflags '-s -w' -o "$2" .; }

# The module on the proxy has neither vendor/ nor staging/: its staging replacements become the released modules.
sources_1.37() {
  local folder
  folder=$(module_go mod download -json "k8s.io/kubernetes@v$version" | jq -r .Dir)
  cp -r "$folder/." .
  chmod -R u+w .
  rm -f go.work go.work.sum
  sed -Ei "s#(k8s.io/[a-z-]+) => ./staging/src/k8s.io/[a-z-]+#\1 => \1 v0.${version#*.}#" go.mod
}

build_1.37() {
  module_go build -mod=mod -trimpath \
    -ldflags "$(version_flags k8s.io/component-base/version k8s.io/client-go/pkg/version)" -o "$2" "./cmd/$1"
}

# Debian's 1.20 source is a whole tree with vendor/, for GOPATH mode. bookworm's compiler builds it, but its
# modern-go/reflect2 1.0.1 crashes under Go >= 1.18, so bookworm's own 1.0.2 takes its place.
# All comes from a private package list, so that the machine's own need not offer sources.
sources_1.20() {
  local package
  local apt=(apt-get -q -o "Dir::Etc::SourceList=$PWD/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$PWD/apt/lists" -o "Dir::Cache=$PWD/apt" -o APT::Sandbox::User=root)
  mkdir -p apt/lists/partial apt/archives/partial tools gopath/src/k8s.io
  # shellcheck disable=SC2016 # the fields are apt's
  apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(SITE)' 'Created-By: Packages' |
    awk '$1 == "bookworm" && $2 == "main" && !seen++ { print "deb", $3, $1, $2; print "deb-src", $3, $1, $2 }' >apt/sources.list
  [[ -s apt/sources.list ]] || die "find Debian bookworm among this machine's package lists"
  "${apt[@]}" update
  "${apt[@]}" source --download-only kubernetes
  "${apt[@]}" download golang-1.19-go golang-1.19-src golang-github-modern-go-reflect2-dev
  for package in *.deb; do dpkg-deb -x "$package" tools; done
  dpkg-source --no-check -x kubernetes_*.dsc tree
  rm -rf tree/vendor/github.com/modern-go/reflect2
  cp -r tools/usr/share/gocode/src/github.com/modern-go/reflect2 tree/vendor/github.com/modern-go/
  ln -s ../../../tree gopath/src/k8s.io/kubernetes
  generate_openapi_1.20 "$PWD"
  rm -rf apt ./*.deb ./*.tar.* ./*.dsc
}

# generate_openapi_1.20 FOLDER: makes the one generated file that the tree lacks and kube-apiserver needs, as upstream's Makefile does.
generate_openapi_1.20() (
  local folder=$1 inputs
  cd "$folder/gopath/src/k8s.io/kubernetes"
  inputs=$(grep -rl --include='*.go' '+k8s:openapi-gen=' cmd pkg plugin staging/src/k8s.io |
    grep -Ev '/(code-generator|sample-apiserver|testdata)/' | xargs -n1 dirname | sort -u |
    sed 's#^staging/src/#vendor/#; s#^#k8s.io/kubernetes/#' | paste -sd,)
  old_go "$folder" run ./vendor/k8s.io/kube-openapi/cmd/openapi-gen -h hack/boilerplate/boilerplate.generatego.txt \
    -i "$inputs" -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi -o "$folder/gopath/src" -r "$folder/violations"
)

# old_go FOLDER ARGUMENT...: bookworm's Go in GOPATH mode, for the tree in FOLDER.
old_go() {
  local root=$1/tools/usr/lib/go-1.19
  CGO_ENABLED=0 GO111MODULE=off GOFLAGS='' GOCACHE=$cache/go/build GOPATH=$1/gopath GOROOT=$root PATH=$root/bin:$PATH "$root/bin/go" "${@:2}"
}

build_1.20() {
  local vendored=k8s.io/kubernetes/vendor/k8s.io
  cd "$work/src/gopath/src/k8s.io/kubernetes"
  old_go "$work/src" build -trimpath \
    -ldflags "$(version_flags "$vendored/component-base/version" "$vendored/client-go/pkg/version")" -o "$2" "./cmd/$1"
}

main "$@"
