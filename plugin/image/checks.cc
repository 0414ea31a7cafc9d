// What an image must have to become a node: program, units, kubelet, runtime, kernel settings.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/text.h"
#include "image/verify.h"
#include "kube/releases.h"

namespace kubejoin::image {
namespace {

constexpr std::array<const char*, 4> kUnitFolders = {"/etc/systemd/system/", "/usr/local/lib/systemd/system/", "/usr/lib/systemd/system/", "/lib/systemd/system/"};

void add(Seen& seen, std::string path, std::string what) { seen.findings.push_back({.path = std::move(path), .what = std::move(what)}); }

// Where systemd finds the unit; nothing when it is absent or masked.
std::optional<std::string> unit_file(Image& image, const std::string& unit) {
  for (const char* folder : kUnitFolders) {
    const auto info = image.host.stat(folder + unit);
    if (!info) continue;
    return info->link_target == "/dev/null" ? std::nullopt : std::optional<std::string>(folder + unit);
  }
  return std::nullopt;
}

// Something starts the unit at boot: a link in a .wants or .requires folder.
bool is_enabled(Image& image, const std::string& unit) {
  std::vector<Error> ignored;
  for (const char* folder : kUnitFolders)
    for (const char* kind : {"*.wants/", "*.requires/"})
      if (!expand(image.host, folder + std::string(kind) + unit, ignored).empty()) return true;
  return false;
}

// Text of the unit and its drop-ins.
std::string unit_text(Image& image, const std::string& unit) {
  std::vector<Error> ignored;
  std::string text;
  for (const char* folder : kUnitFolders) {
    text += image.host.read(folder + unit, 1 << 20).value_or("") + "\n";
    for (const std::string& path : expand(image.host, folder + unit + ".d/*.conf", ignored)) text += image.host.read(path, 1 << 20).value_or("") + "\n";
  }
  return text;
}

void expect_enabled(Image& image, const std::string& unit, Seen& seen) {
  const auto file = unit_file(image, unit);
  if (!file) add(seen, kUnitFolders[2] + unit, "is absent or masked");
  else if (!is_enabled(image, unit)) add(seen, *file, "is not enabled: no boot would start it");
}

// ---- kubejoin ----

Seen kubejoin_runs(Image& image) {
  Seen seen;
  const auto program = program_in(image, "kubejoin");
  if (!program) return add(seen, "/usr/bin/kubejoin", "is absent"), seen;
  const auto info = image.host.stat(*program);
  if (info->type == FileType::regular && (info->mode & 0022U) != 0) add(seen, *program, "may be changed by others than root");
  const auto ran = run_in(image, {*program, "version", "-o", "short"}, Millis{30'000});
  if (!ran) add(seen, *program, "does not run: " + ran.error().message);
  else if (ran->status != 0) add(seen, *program, "does not run: " + printable(trim(ran->err)));
  else seen.note = "kubejoin " + printable(trim(ran->out));
  return seen;
}

Seen kubejoin_unit(Image& image) {
  Seen seen;
  expect_enabled(image, "kubejoin.service", seen);
  if (image.host.stat("/etc/kubejoin/disabled")) add(seen, "/etc/kubejoin/disabled", "switches kubejoin off");
  return seen;
}

// systemd breaks an ordering cycle by leaving some job out, silently: the node then never joins. Its own analyzer tells, before any boot:
// of the units with all that they depend on (--recursive-errors=no would leave that out), and of what cloud-init's generator adds only at boot.
Seen units(Image& image) {
  Seen seen;
  std::vector<std::string> argv = {"systemd-analyze", "verify", "--man=no"};
  for (const char* unit : {"kubejoin-verify.target", "kubejoin.service", "kubelet.service", "multi-user.target"})
    if (unit_file(image, unit)) argv.emplace_back(unit);
  if (argv.size() == 3) return seen.skipped = "there are no units", seen;
  const auto analyzer = program_in(image, "systemd-analyze");
  if (!analyzer) return seen.skipped = "systemd-analyze is not in the image", seen;
  argv.front() = *analyzer;
  const auto ran = run_in(image, argv, Millis{120'000});
  if (!ran && ran.error().id == "process.absent") return seen.skipped = ran.error().message, seen;
  if (!ran) return add(seen, *analyzer, "does not run: " + ran.error().message), seen;
  // It works in a folder of its own below /tmp: an image that is mounted read-only has no place for that.
  if (ran->err.find("Failed to setup working directory") != std::string::npos) return seen.skipped = printable(trim(ran->err)) + ": mount the image read-write", seen;
  std::set<std::string> told;
  for (const std::string& line : split(ran->err + "\n" + ran->out, '\n')) {
    const bool cycle = line.find("ordering cycle") != line.npos || line.find("deleted to break") != line.npos;
    const bool ours = ran->status != 0 && (line.find("kubejoin.service") != line.npos || line.find("kubelet.service") != line.npos);
    if ((cycle || ours) && told.insert(line).second) add(seen, "", printable(trim(line), 400));
  }
  if (seen.findings.empty() && ran->status != 0) add(seen, "", "systemd-analyze verify ended with " + std::to_string(ran->status) + ": " + printable(trim(ran->err), 400));
  return seen;
}

// ---- kubelet and runtime ----

std::string kubelet_version(Image& image) { return std::string(trim(image.host.read(kKubeletVersionPath, 256).value_or(""))); }

// "Kubernetes v1.37.2" -> 37; 0 when it says something else.
int kubelet_minor(const std::string& version) {
  const auto parts = split(version, '.');
  return version.starts_with("Kubernetes v1.") && parts.size() > 1 ? std::atoi(parts[1].c_str()) : 0;
}

Seen kubelet(Image& image) {
  Seen seen;
  const auto program = program_in(image, "kubelet");
  if (!program) return add(seen, "/usr/bin/kubelet", "is absent"), seen;
  const std::string baked = kubelet_version(image);
  const auto ran = run_in(image, {*program, "--version"}, Millis{120'000});
  if (!ran) add(seen, *program, "does not run: " + ran.error().message);
  else if (ran->status != 0) add(seen, *program, "does not run: " + printable(trim(ran->err)));
  else if (baked.empty()) add(seen, kKubeletVersionPath, "is absent: each boot would have to ask the kubelet");
  else if (trim(ran->out) != baked) add(seen, kKubeletVersionPath, "says " + quoted(baked) + ", the kubelet says " + quoted(trim(ran->out)));
  seen.note = printable(baked);
  return seen;
}

Seen kubelet_unit(Image& image) {
  Seen seen;
  expect_enabled(image, "kubelet.service", seen);
  if (!seen.findings.empty()) return seen;
  const std::string text = unit_text(image, "kubelet.service");
  for (const char* file : {"/etc/kubernetes/kubelet.conf", "/var/lib/kubelet/config.yaml", "/var/lib/kubelet/kubeadm-flags.env"})
    if (text.find(file) == text.npos) add(seen, "kubelet.service", "does not read " + std::string(file) + ", which the join writes");
  return seen;
}

struct Runtime {
  const char* program;
  std::array<const char*, 2> units;
};
constexpr std::array<Runtime, 3> kRuntimes = {{{"containerd", {"containerd.service", "containerd.socket"}}, {"crio", {"crio.service", "crio.socket"}}, {"cri-dockerd", {"cri-docker.service", "cri-docker.socket"}}}};

// containerd.io, Docker's package, comes with CRI switched off.
bool has_cri_off(const std::string& config) {
  for (const std::string& line : split(config, '\n')) {
    const std::string_view text = trim(line);
    if (text.starts_with("disabled_plugins") && (text.find("\"cri\"") != text.npos || text.find("'cri'") != text.npos || text.find("io.containerd.grpc.v1.cri") != text.npos)) return true;
  }
  return false;
}

// "containerd github.com/containerd/containerd 1.7.24~ds1 …", "containerd containerd.io v2.1.0 …": {1, 7}.
std::pair<int, int> version_of(const std::string& text) {
  for (const std::string& word : split(text, ' ')) {
    const std::string number = word.starts_with('v') ? word.substr(1) : word;
    const auto parts = split(number, '.');
    if (parts.size() >= 2 && !number.empty() && number[0] >= '0' && number[0] <= '9') return {std::atoi(parts[0].c_str()), std::atoi(parts[1].c_str())};
  }
  return {0, 0};
}

Seen runtime(Image& image) {
  Seen seen;
  std::vector<const Runtime*> enabled;
  for (const Runtime& one : kRuntimes)
    if (std::any_of(one.units.begin(), one.units.end(), [&](const char* unit) { return unit_file(image, unit) && is_enabled(image, unit); })) enabled.push_back(&one);
  if (enabled.empty()) return add(seen, "containerd.service", "no container runtime is enabled (containerd, crio or cri-dockerd)"), seen;
  if (enabled.size() > 1) {
    std::vector<std::string> names;
    names.reserve(enabled.size());
    for (const Runtime* one : enabled) names.emplace_back(one->program);
    add(seen, enabled.back()->units[0], "the CRI socket is ambiguous: " + join(names, " and ") + " are enabled");
  }
  for (const Runtime* one : enabled) {
    const std::string name = one->program;
    const auto program = program_in(image, name);
    if (!program) {
      add(seen, "/usr/bin/" + name, "is absent, its unit is enabled");
      continue;
    }
    const auto ran = run_in(image, {*program, "--version"}, Millis{60'000});
    if (!ran || ran->status != 0) {
      add(seen, *program, "does not run: " + (ran ? printable(trim(ran->err)) : ran.error().message));
      continue;
    }
    const std::string said(trim(split(ran->out, '\n').front()));
    seen.note += (seen.note.empty() ? "" : "; ") + printable(said);
    if (name != "containerd") continue;
    if (has_cri_off(image.host.read("/etc/containerd/config.toml", 1 << 20).value_or(""))) add(seen, "/etc/containerd/config.toml", "disables the CRI plugin: a kubelet finds no runtime");
    if (!program_in(image, "runc") && !program_in(image, "crun")) add(seen, "/usr/sbin/runc", "is absent: containerd starts containers with it");
    // The CRI v1 API came with containerd 1.6; kubelet 1.26 and later speak no other.
    const auto version = version_of(said);
    if (version.first == 1 && version.second < 6 && kubelet_minor(kubelet_version(image)) >= kube::since::kRuntimeV1Only) add(seen, *program, "does not match the kubelet: 1.26 and later need containerd 1.6 or later");
  }
  return seen;
}

// ---- the machine ----

// What the kubelet's release calls (kube/releases.h), and what loads the modules. An unknown release is a current one.
Seen programs(Image& image) {
  Seen seen;
  const int known = kubelet_minor(kubelet_version(image)), minor = known > 0 ? known : 999;
  const auto want = [&](const std::string& name, std::string_view package) {
    if (!program_in(image, name)) add(seen, "/usr/bin/" + name, "is absent (Debian: apt-get install " + std::string(package) + ")");
  };
  for (const kube::since::Program& one : kube::since::kPrograms)
    if (one.needed && minor >= one.from && minor < one.until) want(std::string(one.name), one.package);
  want("modprobe", "kmod");
  return seen;
}

Seen swap(Image& image) {
  Seen seen;
  int number = 0;
  for (const std::string& line : split(image.host.read("/etc/fstab", 1 << 20).value_or(""), '\n')) {
    ++number;
    std::vector<std::string> fields;
    for (const std::string& field : split(replace_all(line, "\t", " "), ' '))
      if (!field.empty()) fields.push_back(field);
    if (fields.size() >= 3 && fields[0].front() != '#' && fields[2] == "swap")
      seen.findings.push_back({.path = "/etc/fstab", .line = number, .what = "switches swap on"});
  }
  std::vector<Error> ignored;
  for (const char* folder : kUnitFolders)
    for (const std::string& path : expand(image.host, std::string(folder) + "*.wants/*.swap", ignored)) add(seen, path, "switches swap on");
  if (image.host.stat("/etc/systemd/zram-generator.conf")) add(seen, "/etc/systemd/zram-generator.conf", "switches swap on");
  return seen;
}

// Files of a *.d folder as systemd reads them: by name, /etc before /usr/lib; a link to /dev/null masks.
std::map<std::string, std::string> drop_ins(Image& image, const std::string& folder) {
  std::map<std::string, std::string> files;  // name -> path
  std::vector<Error> ignored;
  for (const char* place : {"/usr/lib/", "/usr/local/lib/", "/etc/"})
    for (const std::string& path : expand(image.host, place + folder + "/*.conf", ignored)) files[path.substr(path.rfind('/') + 1)] = path;
  return files;
}

Seen modules(Image& image) {
  Seen seen;
  std::set<std::string> named;
  for (const auto& [name, path] : drop_ins(image, "modules-load.d"))
    for (const std::string& line : split(image.host.read(path, 1 << 20).value_or(""), '\n')) named.insert(std::string(trim(line)));
  for (const std::string& line : split(image.host.read("/etc/modules", 1 << 20).value_or(""), '\n')) named.insert(std::string(trim(line)));
  std::vector<Error> ignored;
  const std::vector<std::string> kernels = expand(image.host, "/lib/modules/*", ignored);
  for (const char* module : {"overlay", "br_netfilter"}) {
    if (!named.contains(module)) add(seen, "/usr/lib/modules-load.d/kubejoin.conf", "nothing loads the kernel module " + std::string(module));
    for (const std::string& kernel : kernels) {
      const std::string known = image.host.read(kernel + "/modules.dep", 16 << 20).value_or("") + image.host.read(kernel + "/modules.builtin", 1 << 20).value_or("");
      if (!known.empty() && known.find("/" + std::string(module) + ".ko") == known.npos) add(seen, kernel, "has no module " + std::string(module));
    }
  }
  return seen;
}

Seen sysctls(Image& image) {
  Seen seen;
  std::map<std::string, std::pair<std::string, std::string>> set;  // name -> value, file that said it last
  for (const auto& [name, path] : drop_ins(image, "sysctl.d")) {
    for (const std::string& line : split(image.host.read(path, 1 << 20).value_or(""), '\n')) {
      const std::string_view text = trim(line);
      const std::size_t equals = text.find('=');
      if (text.empty() || text[0] == '#' || text[0] == ';' || equals == text.npos) continue;
      std::string key(trim(text.substr(text[0] == '-' ? 1 : 0, equals - (text[0] == '-' ? 1 : 0))));
      std::replace(key.begin(), key.end(), '/', '.');
      set[key] = {std::string(trim(text.substr(equals + 1))), path};
    }
  }
  for (const char* key : {"net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables"}) {
    const auto found = set.find(key);
    if (found == set.end()) add(seen, "/usr/lib/sysctl.d/50-kubejoin.conf", "nothing sets " + std::string(key) + " = 1");
    else if (found->second.first != "1") add(seen, found->second.second, "sets " + std::string(key) + " = " + quoted(found->second.first) + ": pods need 1");
  }
  return seen;
}

// A sealed image has no host keys: without somebody who makes them, sshd does not start.
Seen ssh_keys_made(Image& image) {
  Seen seen;
  if (!program_in(image, "sshd")) return seen.skipped = "there is no sshd", seen;
  std::vector<Error> ignored;
  for (const char* folder : kUnitFolders)
    for (const char* pattern : {"*ssh*keygen*.service", "*ssh*host*key*.service", "*.wants/*ssh*keygen*"})
      if (const auto found = expand(image.host, std::string(folder) + pattern, ignored); !found.empty()) return seen.note = found.front(), seen;
  if (image.host.stat("/etc/cloud/cloud-init.disabled")) return add(seen, "/etc/cloud/cloud-init.disabled", "leaves nobody to make the SSH host keys"), seen;
  for (const char* unit : {"cloud-init.service", "cloud-init-network.service"})
    if (unit_file(image, unit)) return seen.note = "cloud-init", seen;
  add(seen, "/etc/ssh", "nobody makes the SSH host keys at the first boot");
  return seen;
}

constexpr Check kChecks[] = {
    {"kubejoin", "the program runs in the image", "install it as /usr/bin/kubejoin, mode 0755", kubejoin_runs},
    {"kubejoin-unit", "a boot starts kubejoin", "systemctl enable kubejoin; where cloud-init's runcmd calls it: --keep kubejoin-unit", kubejoin_unit},
    {"units", "systemd finds no fault and no ordering cycle in the units", "systemd-analyze verify multi-user.target", units},
    {"kubelet", "the kubelet runs, and its version is written down", "install the kubelet, then: kubejoin seal", kubelet},
    {"kubelet-unit", "a boot starts the kubelet with what the join writes", "systemctl enable kubelet, and the drop-in of kubeadm's package or of image-builder/rootfs-kubelet", kubelet_unit},
    {"runtime", "one container runtime, whose CRI socket nobody has to guess", "leave one enabled: systemctl disable UNIT; or name it in nodeRegistration.criSocket and say --keep runtime", runtime},
    {"programs", "programs that the kubelet calls", "install them", programs},
    {"swap", "no swap", "remove the line, or set failSwapOn: false in the kubelet's configuration and say --keep swap", swap},
    {"modules", "kernel modules of pod networks and images", "a file in /etc/modules-load.d", modules},
    {"sysctl", "kernel settings of pod networks", "a file in /etc/sysctl.d", sysctls},
    {"ssh-keygen", "somebody makes new SSH host keys", "install cloud-init, or a unit that runs ssh-keygen -A before sshd", ssh_keys_made},
    {"cni-config", "pod networks that are baked in", "", cluster_network},
    {"proxies", "proxies that every clone would use", "", proxies},
    {"logins", "passwords and rights that every clone has", "", logins},
    {"bound-state", "identity that only its owner can renew", "", bound_state},
};

}  // namespace

std::span<const Check> checks() { return kChecks; }

}  // namespace kubejoin::image
