#!/bin/bash
# Bakes a root file system in a folder, without a machine: for container-like builds, network boot, and images that other tools pack.
#
#   bake.sh ROOT KIT [KUBELET]       KIT: the unpacked kubejoin tarball; KUBELET: a file; default: KIT/kubelet
set -euo pipefail
root=$1 kit=$2 kubelet=${3:-$2/kubelet}
mkdir "$root/bake"
trap 'rm -rf "$root/bake"' EXIT
cp -r "$kit"/{kubejoin,rootfs,rootfs-kubelet,steps} "$root/bake"
cp "$kubelet" "$root/bake/kubelet"
for step in "$root"/bake/steps/[0-9]*.sh; do
  KUBELET=/bake/kubelet chroot "$root" "/bake/steps/${step##*/}"
done
