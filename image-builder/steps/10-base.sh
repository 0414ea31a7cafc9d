#!/usr/bin/env bash
# The operating system: the programs that a kubelet calls, no swap, nothing that changes packages behind the owner's back.
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need conntrack=conntrack ethtool=ethtool iptables=iptables mount=mount modprobe=kmod socat=socat ip=iproute2 \
  /etc/ssl/certs/ca-certificates.crt=ca-certificates

# The kubelet refuses swap unless it is told otherwise.
if is_live; then swapoff -a; fi
sed -i -E '/^[^#].*[[:space:]]swap[[:space:]]/s/^/# kubejoin: a node has no swap: /' /etc/fstab

# A fleet is updated by its image. Masked, as the first boot of a sealed image enables what is merely disabled (systemd's presets).
for timer in apt-daily.timer apt-daily-upgrade.timer; do
  if [[ -e /usr/lib/systemd/system/$timer || -e /lib/systemd/system/$timer ]]; then systemctl mask "$timer"; fi
done
