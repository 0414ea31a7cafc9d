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
