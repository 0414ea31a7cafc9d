#!/usr/bin/env bash
# The container runtime: containerd with the CRI plugin, the cgroup driver, CNI's standard plugins, the images that the image carries.
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need containerd=containerd runc=runc
for plugins in /opt/cni/bin /usr/lib/cni ''; do
  [[ -x $plugins/bridge ]] && break
done
if [[ ! $plugins ]]; then
  need bridge=containernetworking-plugins
  plugins=/usr/lib/cni
fi

mkdir -p /etc/containerd /etc/cni/net.d
# Both generations of names: what a containerd does not know it leaves alone, with a line in its log.
if [[ $(containerd --version) == *' v2.'* || $(containerd --version) == *' 2.'* ]]; then
  version=3 cri=io.containerd.cri.v1.runtime sandbox="[plugins.'io.containerd.cri.v1.images'.pinned_images]"$'\n'"sandbox = "
else
  version=2 cri=io.containerd.grpc.v1.cri sandbox="[plugins.'io.containerd.grpc.v1.cri']"$'\n'"sandbox_image = "
fi
{
  cat <<TOML
version = $version

[plugins.'$cri'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'

[plugins.'$cri'.containerd.runtimes.runc.options]
SystemdCgroup = $([[ ${CGROUP_DRIVER:-systemd} == systemd ]] && echo true || echo false)

[plugins.'$cri'.cni]
bin_dir = '$plugins'
conf_dir = '/etc/cni/net.d'
TOML
  [[ ! ${PAUSE_IMAGE:-} ]] || printf '\n%s%s\n' "$sandbox" "'$PAUSE_IMAGE'"
} >/etc/containerd/config.toml
systemctl enable containerd

images=${IMAGES:-$bake/images}
compgen -G "$images/*.tar" >/dev/null || exit 0
is_live || die "import $images: containerd runs only where systemd does; import them at the first boot, or bake in a machine"
systemctl restart containerd
for image in "$images"/*.tar; do
  say "importing ${image##*/}"
  ctr --namespace k8s.io images import "$image"
done
