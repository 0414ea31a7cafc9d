# What the steps share; sourced, never run. A step is run as root, in the image, with these variables:
#
#   KUBEJOIN_BAKE     the folder that holds kubejoin, rootfs/, rootfs-kubelet/ and steps/, as uploaded; default: beside this file
#   KUBELET           the kubelet: a file in the image, or an https:// address
#   KUBELET_SHA256    its checksum; a must for an address
#   PAUSE_IMAGE       the sandbox image's name, for containerd
#   IMAGES            container images to carry: a folder of OCI archives in the image; default $KUBEJOIN_BAKE/images
#   OVERLAY           a folder in the image that is laid over its root; default: none
#   CGROUP_DRIVER     systemd (default) or cgroupfs; must be what the cluster's kubelet configuration says
# shellcheck shell=bash disable=SC2034

set -euo pipefail
bake=${KUBEJOIN_BAKE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}

say() { printf 'bake: %s: %s\n' "${0##*/}" "$*" >&2; }
die() {
  say "unable to $*"
  exit 1
}

# need PROGRAM=PACKAGE...: installs (Debian, Ubuntu) the packages whose programs are missing; elsewhere it names them.
need() {
  local pair missing=()
  for pair; do
    PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%=*}" >/dev/null || [[ -e ${pair%%=*} ]] || missing+=("${pair#*=}")
  done
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null || die "install ${missing[*]}: this system has no apt-get; install what provides them before the bake"
  say "installing ${missing[*]}"
  DEBIAN_FRONTEND=noninteractive apt-get -q update
  DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"
}

# copy_rootfs FOLDER: lays the folder's files over the image, as root's, with the modes that they have here.
copy_rootfs() { tar -C "$1" --owner=0 --group=0 --mode=go-w -c . | tar -C / --no-overwrite-dir -x; }

# is_live: whether systemd runs here; in a chroot units are enabled, not started.
is_live() { [[ -d /run/systemd/system ]]; }
