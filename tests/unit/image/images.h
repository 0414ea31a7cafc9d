// Images made of maps: one that may be published, and the same with what a build leaves behind.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "../fake_host.h"
#include "image/traces.h"
#include "../test.h"

namespace kubejoin {

// A token that stands nowhere else; kubeadm's example would be passed over.
inline constexpr char kTokenInImage[] = "q7w3fz.5kd0c8x2m6n1v9b4";
inline constexpr char kSecretInImage[] = "5kd0c8x2m6n1v9b4";

inline void put_sealed_image(FakeHost& host) {
  host.put("/etc/machine-id", "uninitialized\n", 0444);
  host.put("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nops:x:1000:1000::/data/ops:/bin/bash\nnobody:x:65534:65534::/nonexistent:/bin/false\n");
  host.put("/etc/fstab", "# swap was here\nLABEL=root / ext4 defaults 0 1\n");
  host.put("/usr/bin/kubejoin", "\x7f" "ELF", 0755);
  host.put("/usr/bin/kubelet", "\x7f" "ELF", 0755);
  host.put("/usr/bin/containerd", "\x7f" "ELF", 0755);
  host.put("/usr/sbin/runc", "\x7f" "ELF", 0755);
  for (const char* program : {"cp", "losetup", "mount", "modprobe", "systemd-analyze"}) host.put("/usr/sbin/" + std::string(program), "\x7f" "ELF", 0755);
  host.put("/usr/lib/kubejoin/kubelet-version", "Kubernetes v1.37.2\n");
  for (const char* unit : {"kubejoin.service", "containerd.service", "kubelet.service"}) {
    host.put("/usr/lib/systemd/system/" + std::string(unit), "[Service]\nExecStart=/usr/bin/true\n");
    host.put_link("/etc/systemd/system/multi-user.target.wants/" + std::string(unit), "/usr/lib/systemd/system/" + std::string(unit));
  }
  host.put("/usr/lib/systemd/system/multi-user.target", "[Unit]\n");
  host.put("/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
           "[Service]\nExecStart=/usr/bin/kubelet --kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml\nEnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env\n");
  host.put("/usr/lib/modules-load.d/kubejoin.conf", "overlay\nbr_netfilter\n");
  host.put("/usr/lib/sysctl.d/50-kubejoin.conf", "net.ipv4.ip_forward = 1\n-net.bridge.bridge-nf-call-iptables = 1\n");
  host.answer_command("/usr/bin/kubejoin", CommandResult{0, "0.1.0\n", ""});
  host.answer_command("/usr/bin/kubelet", CommandResult{0, "Kubernetes v1.37.2\n", ""});
  host.answer_command("/usr/bin/containerd", CommandResult{0, "containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24\n", ""});
  host.answer_command("/usr/sbin/systemd-analyze", CommandResult{0, "", ""});
}

// What a row of the table has to find, and what it must not: path, the row.
struct LeftBehind {
  const char* path;
  const char* check;
};
inline constexpr LeftBehind kLeftBehind[] = {
    {"/etc/hostname", "hostname"},
    {"/var/lib/dbus/machine-id", "machine-id"},
    {"/var/lib/systemd/random-seed", "random-seed"},
    {"/boot/efi/loader/random-seed", "random-seed"},
    {"/var/lib/systemd/credential.secret", "credential-secret"},
    {"/etc/ssh/ssh_host_ed25519_key", "ssh-host-keys"},
    {"/etc/ssh/ssh_host_ed25519_key.pub", "ssh-host-keys"},
    {"/var/lib/dhcp/dhclient.eth0.leases", "dhcp"},
    {"/var/lib/NetworkManager/internal-1-eth0.lease", "dhcp"},
    {"/var/lib/dhcpcd/duid", "dhcp"},
    {"/etc/netplan/50-cloud-init.yaml", "network"},
    {"/var/lib/waagent/ovf-env.xml", "cloud-agents"},
    {"/var/lib/containerd/io.containerd.grpc.v1.introspection/uuid", "runtime-id"},
    {"/var/lib/cloud/instances", "cloud-init"},
    {"/var/lib/kubejoin/journal.json", "kubejoin"},
    {"/var/lib/kubelet/pki", "kubelet"},
    {"/etc/kubernetes/kubelet.conf", "kubernetes"},
    {"/etc/kubernetes/pki/ca.crt", "kubernetes"},
    {"/var/lib/cni/networks/pods", "cni"},
    {"/run/kubeadm", "run"},
    {"/root/.bash_history", "shell-history"},
    {"/home/packer/.python_history", "shell-history"},
    {"/data/ops/.zsh_history", "shell-history"},
    {"/home/packer/.ssh/authorized_keys", "user-ssh"},
    {"/root/.kube/config", "credentials"},
    {"/var/mail/root", "mail"},
    {"/var/log/journal/0123456789abcdef0123456789abcdef", "logs"},
    {"/var/log/nginx/access.log", "logs"},
    {"/var/log/wtmp", "logs"},
    {"/var/lib/systemd/coredump/core.kubelet.0.zst", "core-dumps"},
    {"/tmp/script_4242.sh", "tmp"},
    {"/var/cache/apt/archives/runc_1.deb", "package-caches"},
    {"/etc/nvme/hostnqn", "nvme"},
    {"/etc/nvme/hostid", "nvme"},
    {"/etc/hostid", "hostid"},
    {"/etc/lvm/devices/system.devices", "disks"},
    {"/etc/multipath/wwids", "disks"},
    {"/var/lib/ubuntu-advantage/private/machine-token.json", "subscription"},
    {"/etc/pki/consumer/key.pem", "subscription"},
    {"/etc/krb5.keytab", "domain"},
    {"/etc/wireguard/wg0.conf", "vpn"},
    {"/var/lib/tailscale/tailscaled.state", "vpn"},
    {"/etc/openvpn/client/node.key", "vpn"},
    {"/var/lib/google/instance", "cloud-agents"},
    {"/etc/salt/minion_id", "agents"},
    {"/var/ossec/etc/client.keys", "agents"},
    {"/var/lib/fwupd/pki/secret.key", "firmware"},
    {"/etc/docker/key.json", "runtime-id"},
    {"/etc/cloud/cloud.cfg.d/subiquity-disable-cloudinit-networking.cfg", "cloud-init"},
    {"/etc/sudoers.d/90-cloud-init-users", "cloud-init"},
    {"/etc/rancher/node/password", "other-clusters"},
    {"/root/.viminfo", "shell-history"},
    {"/root/.mysql_history", "shell-history"},
    {"/home/packer/.config/rclone/rclone.conf", "credentials"},
    {"/etc/docker/config.json", "credentials"},
    {"/var/spool/postfix/deferred/A/A1B2", "mail"},
    {"/var/spool/cron/crontabs/packer", "jobs"},
    {"/var/spool/cron/atjobs/a00001018f3c3e", "jobs"},
    {"/root/.ansible", "build-tools"},
};

// What stands inside a file: the row that finds it, and what `seal` leaves of the file; nullptr: nothing.
struct LeftInside {
  const char* path;
  const char* content;
  const char* check;
  int line;
  const char* left;
};
inline constexpr LeftInside kLeftInside[] = {
    {"/etc/hosts", "127.0.0.1 localhost\n127.0.1.1 bake # own\n", "hosts", 2, "127.0.0.1 localhost\n"},
    {"/etc/hosts", "10.0.2.15\tbake bake.local\n10.0.2.16 registry\n", "hosts", 1, "10.0.2.16 registry\n"},  // of /etc/hostname
    {"/etc/netplan/00-installer-config.yaml", "network:\n  ethernets: {e: {match: {macaddress: \"00:50:56:AA:bb:cc\"}}}\n", "network-cards", 2, nullptr},
    {"/etc/systemd/network/10-lan.network", "[Match]\nMACAddress=00-50-56-aa-bb-cc\n", "network-cards", 2, nullptr},
    {"/etc/udev/rules.d/71-cards.rules", "SUBSYSTEM==\"net\", ATTR{address}==\"00:50:56:aa:bb:cc\", NAME=\"lan0\"\n", "network-cards", 1, nullptr},
    {"/etc/sysconfig/network-scripts/ifcfg-e1", "DEVICE=e1\nHWADDR=00:50:56:aa:bb:cc\nUUID=5b0a\nONBOOT=yes", "card-settings", 2, "DEVICE=e1\nONBOOT=yes"},
    {"/etc/NetworkManager/system-connections/lan.nmconnection", "[ethernet]\nmac-address=00:50:56:AA:BB:CC\n", "card-settings", 2, "[ethernet]\n"},
    {"/etc/network/interfaces", "iface e1 inet dhcp\n  hwaddress ether 00:50:56:aa:bb:cc\n", "card-settings", 2, "iface e1 inet dhcp\n"},
    {"/etc/iscsi/initiatorname.iscsi", "## DO NOT EDIT\nInitiatorName=iqn.1993-08.org.debian:01:5\n", "iscsi", 0, nullptr},
    {"/root/.npmrc", "fund=false\n//registry.npmjs.org/:_authToken=npm_0123456789\n", "npm", 2, nullptr},
    {"/etc/containerd/config.toml", "[x.auth]\n  password = \"geheim\"\n", "registries", 2, "[x.auth]\n"},
    {"/etc/containerd/certs.d/r/hosts.toml", "[host.r.header]\n  Authorization = [\"Basic dTpw\"]\n", "registries", 2, "[host.r.header]\n"},
    {"/etc/environment", "A=1\nHTTPS_PROXY=http://u:geheim@proxy:3128\nB=2\nhttp_proxy=http://u:geheim@proxy:3128\n", "passwords", 2, "A=1\nB=2\n"},
    {"/etc/apt/sources.list.d/x.list", "deb https://u:geheim@deb.internal x main\n", "passwords", 1, ""},
    {"/opt/app/config.yaml", "url: amqp://u:geheim@queue:5672/\n", "passwords", 1, nullptr},
    {"/etc/default/app", "JOIN=q7w3fz.5kd0c8x2m6n1v9b4\nX=1\n", "tokens", 1, "X=1\n"},
    {"/srv/deploy/config", "apiVersion: v1\nkind: Config\nclusters: []\nusers:\n- user: {token: 4f5e2a7b9c0d1e3f}\n", "kubeconfigs", 5, nullptr},
    {"/kubeconfig.json", "{\"kind\": \"Config\", \"clusters\": [], \"users\": [{\"user\": {\"password\": \"geheim\"}}]}", "kubeconfigs", 1, nullptr},
};
// What looks like it and is none: nothing is found in these.
inline constexpr LeftInside kInnocent[] = {
    {"/etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost\nff02::1 ip6-allnodes\n#127.0.1.1 bake\n10.0.0.7 registry\n", "", 0, nullptr},
    {"/etc/netplan/60-all.yaml", "network: {ethernets: {all: {match: {name: e*}, addresses: [\"fd00:11:22:33:44:55:66:77/64\"]}}}\n", "", 0, nullptr},
    {"/etc/network/interfaces", "# hwaddress ether 00:50:56:aa:bb:cc\nsource /etc/network/interfaces.d/*\n", "", 0, nullptr},
    {"/etc/systemd/network/99-default.link", "[Link]\nMACAddressPolicy=persistent\n", "", 0, nullptr},
    {"/etc/iscsi/initiatorname.iscsi", "GenerateName=yes\n", "", 0, nullptr},
    {"/root/.npmrc", "//registry.npmjs.org/:_authToken=${NPM_TOKEN}\n", "", 0, nullptr},
    {"/etc/containerd/config.toml", "# password = \"x\"\n[plugins.cri.registry.auths]\nauthorization = \"\"\n", "", 0, nullptr},
    {"/etc/wgetrc", "#https_proxy = http://u:geheim@proxy.yoyodyne.com:18023/\n", "", 0, nullptr},
    {"/opt/app/README", "http://user:password@host/ http://$USER:$PASS@proxy:1/ https://u:<pw>@h/ ssh://git@host:22/x git@h:p https://h:443/a@b http://u:x@proxy.example.com:1\n", "", 0, nullptr},
    {"/etc/kubernetes/discovery/cluster-info.yaml", "kind: Config\nclusters: []\nusers: []\n", "", 0, nullptr},
    {"/etc/discovery.yaml", "kind: Config\nclusters: []\nusers:\n- user: {tokenFile: /run/token, client-key: /etc/key, token: <token>}\n", "", 0, nullptr},
};

inline void put_traces(FakeHost& host) {
  host.put("/etc/machine-id", "0123456789abcdef0123456789abcdef\n", 0444);
  for (const LeftBehind& trace : kLeftBehind) host.put(trace.path, "left behind\n", 0600);
  host.files.erase("/var/lib/cloud/instances");
  host.put("/var/lib/cloud/instances/i-bake/user-data.txt", "#cloud-config\nruncmd:\n- kubeadm join --token " + std::string(kTokenInImage) + "\n", 0600);
  host.files.erase("/var/lib/kubelet/pki");
  host.put("/var/lib/kubelet/pki/kubelet-client-current.pem", "x", 0600);
  host.files.erase("/run/kubeadm");
  host.put("/run/kubeadm/kubeadm-join-config.yaml", "x", 0640);
  host.files.erase("/var/log/journal/0123456789abcdef0123456789abcdef");
  host.put("/var/log/wtmp", "", 0664);
  host.put("/var/log/journal/0123456789abcdef0123456789abcdef/system.journal", std::string("LPKSHHRH\0", 9), 0640);
  host.put("/root/.bash_history", "ls\nkubeadm join 10.0.0.1:6443 --token " + std::string(kTokenInImage) + "\n", 0600);
  host.put("/opt/bootstrap/join.sh", "exec kubeadm join --token=" + std::string(kTokenInImage) + " 10.0.0.1:6443\n", 0755);
}

// "check path" of every finding.
inline std::vector<std::string> found(const std::vector<image::Finding>& findings) {
  std::vector<std::string> all;
  for (const image::Finding& finding : findings) all.push_back(finding.check + " " + finding.path);
  return all;
}
inline bool has(const std::vector<std::string>& all, const std::string& one) { return std::find(all.begin(), all.end(), one) != all.end(); }

}  // namespace kubejoin
