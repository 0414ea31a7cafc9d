// The table, and the walk through the image.
#include "image/traces.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"

namespace kubejoin::image {
namespace {

constexpr int kDeepest = 24;  // folders below a pattern's "/**"

// systemd's word for "the next boot is the first" (machine-id(5)). An empty file gets a new id too, but no first boot.
constexpr char kUninitialized[] = "uninitialized\n";

// What the system itself makes anew in /tmp while it runs, and what a running service has there for itself.
constexpr std::array<std::string_view, 7> kLivingInTmp = {"/systemd-private-", "/.X11-unix", "/.ICE-unix", "/.XIM-unix", "/.font-unix", "/.Test-unix", "/snap-private-tmp"};

void find_machine_id(Image& image, const Trace& trace, Search& search) {
  constexpr char kPath[] = "/etc/machine-id", kDbus[] = "/var/lib/dbus/machine-id";
  const auto info = image.host.stat(kPath);
  const auto text = image.host.read(kPath, 4096);
  std::string why;
  if (!info) why = "is absent: a root that is read-only at first could not keep the id that is made for it";
  else if (!text || *text != kUninitialized) why = text && trim(*text).empty() ? "is empty: it must say \"uninitialized\", else systemd sees no first boot" : "is this machine's: every clone would have the same";
  else if (info->mode != 0444) why = "must have mode 0444";
  if (!why.empty()) search.findings.push_back({.check = std::string(trace.name), .path = kPath, .what = why, .content = kUninitialized, .mode = 0444});
  // Where D-Bus keeps a copy instead of a link; its package makes the link at boot (tmpfiles.d).
  if (const auto copy = image.host.stat(kDbus); copy && copy->type == FileType::regular)
    search.findings.push_back({.check = std::string(trace.name), .path = kDbus, .what = "is a copy of this machine's id"});
}

// A baked name is one name for all: two nodes of one name overwrite each other's Node. Without the file cloud-init, DHCP or the
// hypervisor name the machine.
void find_hostname(Image& image, const Trace& trace, Search& search) {
  constexpr char kPath[] = "/etc/hostname";
  const auto text = image.host.read(kPath, 4096);
  if (!text) return;
  const std::string name(trim(*text));
  if (name.empty() || name == "localhost" || name == "localhost.localdomain" || name.front() == '#') return;
  search.findings.push_back({.check = std::string(trace.name), .path = kPath, .what = "names every machine of this image " + quoted(name)});
}

constexpr Trace kTraces[] = {
    // --- who this machine is ---
    {"machine-id", "the machine's id", {}, find_machine_id},
    {"hostname", "the machine's name", {}, find_hostname},
    {"random-seed", "seeds of randomness, the same for all clones",
     "/var/lib/systemd/random-seed /var/lib/urandom/random-seed /var/lib/random-seed /boot/loader/random-seed /boot/efi/loader/random-seed /efi/loader/random-seed"},
    {"credential-secret", "the key of systemd's encrypted credentials, the TPM's key", "/var/lib/systemd/credential.secret /var/lib/systemd/tpm2-srk-public-key.*"},
    {"ssh-host-keys", "the keys by which SSH proves who a machine is", "/etc/ssh/ssh_host_*key* /etc/dropbear/dropbear_*_host_key"},
    {"dhcp", "DHCP leases and DUIDs",
     "/var/lib/dhcp/*lease* /var/lib/dhclient/*lease* /var/lib/dhcpcd/* /var/lib/dhcpcd5/* /etc/dhcpcd.duid /etc/dhcpcd.secret "
     "/var/lib/NetworkManager/*lease* /var/lib/NetworkManager/secret_key /var/lib/NetworkManager/timestamps /var/lib/NetworkManager/seen-bssids /var/lib/systemd/network/*"},
    {"network", "the build machine's interfaces, as udev and cloud-init wrote them down",
     "/etc/udev/rules.d/70-persistent-net.rules /etc/netplan/50-cloud-init.yaml /etc/network/interfaces.d/50-cloud-init* /etc/systemd/network/10-cloud-init-* "
     "/etc/NetworkManager/system-connections/cloud-init-* /etc/NetworkManager/conf.d/99-cloud-init.conf"},
    {"cloud-agents", "what the cloud's own agents know of the build machine", "/var/lib/waagent/* /var/lib/amazon/ssm/* /etc/instance_id"},
    {"runtime-id", "the container runtime's id", "/var/lib/containerd/io.containerd.grpc.v1.introspection/uuid /var/lib/docker/engine-id"},

    // --- what it was told, and what it did ---
    {"cloud-init", "cloud-init's memory: user-data with its token, instance data, what was done",
     "/var/lib/cloud/* /etc/cloud/cloud.cfg.d/99-installer.cfg /etc/sudoers.d/90-cloud-init-users /etc/ssh/sshd_config.d/50-cloud-init.conf"},
    {"kubejoin", "kubejoin's journal and results", "/var/lib/kubejoin/*"},
    {"kubelet", "a node's certificates, configuration and state", "/var/lib/kubelet/*"},
    {"kubernetes", "kubeconfigs, the cluster's CA, a control plane's pods, join configurations",
     "/etc/kubernetes/*.conf /etc/kubernetes/pki/* /etc/kubernetes/tmp/* /etc/kubernetes/manifests/etcd.yaml /etc/kubernetes/manifests/kube-*.yaml /etc/kubeadm.yml /etc/kubeadm.sh"},
    {"cni", "addresses of pods, credentials of CNI plugins", "/var/lib/cni/networks/* /var/lib/cni/results/* /var/lib/cni/cache/* /etc/cni/net.d/*kubeconfig*"},
    {"run", "what belongs to one boot: join configurations, sentinels, results", "/run/kubeadm /run/kubejoin /run/cluster-api /run/cloud-init", nullptr, nullptr, true},

    // --- what people left ---
    {"shell-history", "histories of shells and programs",
     "~/.*history* ~/.lesshst ~/.viminfo ~/.wget-hsts ~/.local/share/fish/fish_history ~/.local/state/*history*"},
    {"user-ssh", "keys that may log in, keys to log in elsewhere", "~/.ssh/authorized_keys* ~/.ssh/known_hosts* ~/.ssh/id_*"},
    {"credentials", "credentials of clouds, clusters and registries",
     "~/.kube/* ~/.aws/* ~/.azure/* ~/.config/gcloud/* ~/.config/openstack/* ~/.docker/config.json ~/.config/containers/auth.json ~/.netrc ~/.git-credentials "
     "~/.vault-token ~/.pgpass ~/.gnupg/private-keys-v1.d/* /etc/apt/auth.conf /etc/apt/auth.conf.d/*"},
    {"installer", "answers that the system was installed with", "~/anaconda-ks.cfg ~/original-ks.cfg ~/preseed.cfg"},
    {"mail", "mail of the system", "/var/mail/**"},

    // --- what the build left ---
    // wtmp even while it is empty: where there is one, systemd writes to it on the way down.
    {"logs", "logs and journals, wherever a secret may have been written to", "/var/log/journal/* /var/log/wtmp /var/log/** /var/lib/wtmpdb/** /var/lib/lastlog/**"},
    {"core-dumps", "memory of programs that crashed", "/var/lib/systemd/coredump/* /var/crash/* /core /core.* /var/lib/apport/coredump/* /var/spool/abrt/*"},
    {"tmp", "temporary files", "/tmp/* /var/tmp/*"},
    {"package-caches", "downloaded packages and lists", "/var/cache/apt/** /var/lib/apt/lists/** /var/cache/dnf/** /var/cache/yum/** /var/cache/zypp/**"},

    // --- secrets, wherever they stand; last, so that what has a row of its own is told by that row as well ---
    {"tokens", "bootstrap tokens and service-account tokens in any text file", {}, nullptr, look_for_tokens},
    {"private-keys", "private keys in any text file", {}, nullptr, look_for_private_keys},
};

std::string folder_and(const std::string& folder, const std::string& name) { return (folder == "/" ? "" : folder) + "/" + name; }

void note_problem(const Error& error, std::vector<Error>& problems) {
  if (error.id != "file.absent") problems.push_back(error);
}

void files_below(Host& host, const std::string& folder, int depth, std::vector<std::string>& into, std::vector<Error>& problems) {
  const auto names = host.list(folder);
  if (!names) return note_problem(names.error(), problems);
  for (const std::string& name : *names) {
    const std::string path = folder_and(folder, name);
    const auto info = host.stat(path);
    if (info && info->type == FileType::regular && info->size > 0) into.push_back(path);
    if (info && info->type == FileType::directory && depth < kDeepest) files_below(host, path, depth + 1, into, problems);
  }
}

// Below `folder`, the other components of the pattern. A link is entered where the pattern names it and the system may have put it
// (/var/log), not where a wildcard or a person's home has it.
void expand_below(Host& host, const std::string& folder, std::span<const std::string> parts, bool enters_links, std::vector<std::string>& into, std::vector<Error>& problems) {
  if (parts.empty()) return into.push_back(folder);
  const std::string& part = parts.front();
  if (part == "**") return files_below(host, folder, 0, into, problems);
  if (part.find('*') == part.npos) {
    const std::string path = folder_and(folder, part);
    const auto info = host.stat(path);
    if (!info || (!enters_links && parts.size() > 1 && info->type != FileType::directory)) return;
    return expand_below(host, path, parts.subspan(1), enters_links, into, problems);
  }
  const auto names = host.list(folder);
  if (!names) return note_problem(names.error(), problems);
  for (const std::string& name : *names) {
    const std::string path = folder_and(folder, name);
    if (::fnmatch(part.c_str(), name.c_str(), 0) != 0) continue;
    const auto info = host.stat(path);
    if (!info || (parts.size() > 1 && info->type != FileType::directory)) continue;
    expand_below(host, path, parts.subspan(1), enters_links, into, problems);
  }
}

// root's, everyone's below /home, and those that /etc/passwd puts elsewhere.
std::set<std::string> homes(Host& host) {
  std::set<std::string> all = {"/root"};
  if (const auto names = host.list("/home"); names) {
    for (const std::string& name : *names) {
      const auto info = host.stat("/home/" + name);
      if (info && info->type == FileType::directory) all.insert("/home/" + name);
    }
  }
  for (const std::string& line : split(host.read("/etc/passwd", 4 << 20).value_or(""), '\n')) {
    const std::vector<std::string> fields = split(line, ':');  // name:x:uid:gid:comment:home:shell
    if (fields.size() < 7 || fields[2].size() < 4 || fields[5].size() < 2 || fields[5].front() != '/' || fields[2] == "65534") continue;
    const auto info = host.stat(fields[5]);
    if (info && info->type == FileType::directory) all.insert(fields[5]);
  }
  return all;
}

bool lives_in_tmp(const std::string& path) {
  return std::any_of(kLivingInTmp.begin(), kLivingInTmp.end(), [&](std::string_view name) { return path.find(name) != path.npos; });
}

void find_paths(Image& image, const Trace& trace, Search& search) {
  std::set<std::string> seen;  // a file below a folder that goes as a whole is told by the folder
  const auto is_told = [&](const std::string& path) {
    for (std::size_t slash = path.rfind('/'); slash != path.npos && slash > 0; slash = path.rfind('/', slash - 1))
      if (seen.contains(path.substr(0, slash))) return true;
    return seen.contains(path);
  };
  for (const std::string& pattern : split(trace.paths, ' ')) {
    for (const std::string& path : expand(image.host, pattern, search.problems)) {
      if (is_told(path) || (trace.name == "tmp" && lives_in_tmp(path))) continue;
      seen.insert(path);
      search.findings.push_back({.check = std::string(trace.name), .path = path});
    }
  }
}

}  // namespace

std::span<const Trace> traces() { return kTraces; }

bool Image::is_live() const { return root == "/" && host.stat("/run/systemd/system").has_value(); }

bool Image::keeps(std::string_view check, std::string_view path) const {
  return std::any_of(keep.begin(), keep.end(), [&](const std::string& one) {
    return one == check || (!path.empty() && ::fnmatch(one.c_str(), std::string(path).c_str(), 0) == 0);
  });
}

std::vector<std::string> expand(Host& host, std::string_view pattern, std::vector<Error>& problems) {
  std::vector<std::string> into;
  const bool is_at_home = pattern.starts_with("~/");
  std::vector<std::string> parts = split(pattern.substr(is_at_home ? 2 : 1), '/');
  if (is_at_home) {
    for (const std::string& home : homes(host)) expand_below(host, home, parts, false, into, problems);
  } else {
    expand_below(host, "/", parts, true, into, problems);
  }
  return into;
}

Search find_traces(Image& image) {
  Search search;
  const bool is_live = image.is_live();
  for (const Trace& trace : kTraces) {
    if (image.keeps(trace.name) || (trace.offline_only && is_live)) continue;
    if (trace.find != nullptr) trace.find(image, trace, search);
    else if (trace.look == nullptr) find_paths(image, trace, search);
  }
  search_files(image, search);
  std::erase_if(search.findings, [&](const Finding& finding) { return image.keeps(finding.check, finding.path); });
  return search;
}

Result<CommandResult> run_in(Image& image, std::vector<std::string> argv, Millis timeout) {
  if (image.root != "/") argv.insert(argv.begin(), {"chroot", image.root});
  return image.host.run({.argv = std::move(argv), .timeout = timeout, .changes_nothing = true});
}

std::optional<std::string> program_in(Image& image, const std::string& name) {
  for (const char* folder : {"/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/", "/opt/bin/"}) {
    const auto info = image.host.stat(folder + name);
    if (info && (info->type == FileType::symlink || (info->type == FileType::regular && (info->mode & 0111U) != 0))) return folder + name;
  }
  return std::nullopt;
}

}  // namespace kubejoin::image
