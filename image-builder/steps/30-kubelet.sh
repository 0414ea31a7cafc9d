#!/usr/bin/env bash
# The kubelet: its binary from $KUBELET (or the package that is there already), its unit, enabled for the boots after the join.
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${KUBELET:-} in
'') [[ -x /usr/bin/kubelet ]] || die "find the kubelet: set KUBELET to a file or an https:// address" ;;
https://*)
  [[ ${KUBELET_SHA256:-} ]] || die "trust $KUBELET: set KUBELET_SHA256"
  need curl=curl
  curl -fsSL --proto '=https' --retry 5 -o /usr/bin/kubelet.new "$KUBELET"
  ;;
*) cp "$KUBELET" /usr/bin/kubelet.new ;;
esac
if [[ -e /usr/bin/kubelet.new ]]; then
  if [[ ${KUBELET_SHA256:-} ]]; then
    sha256sum -c --quiet <<<"$KUBELET_SHA256  /usr/bin/kubelet.new" || die "trust $KUBELET: its SHA-256 is not KUBELET_SHA256"
  fi
  chmod 0755 /usr/bin/kubelet.new
  mv /usr/bin/kubelet.new /usr/bin/kubelet
fi

# A package's unit is its own; a bare binary gets ours.
if [[ ! -e /usr/lib/systemd/system/kubelet.service && ! -e /lib/systemd/system/kubelet.service ]]; then
  copy_rootfs "$bake/rootfs-kubelet"
fi
systemctl enable kubelet

# So that no boot has to ask it.
mkdir -p /usr/lib/kubejoin
/usr/bin/kubelet --version >/usr/lib/kubejoin/kubelet-version
