// The table of checks. Files and sockets are asked, not programs.
#include "preflight/checks.h"

#include <algorithm>

#include "base/text.h"
#include "plan/join_plan.h"

namespace kubejoin::preflight {
namespace {

std::string path_name(std::string_view prefix, const std::string& path) { return std::string(prefix) + replace_all(path, "/", "-"); }

void error(Findings& findings, std::string message, std::string hint) {
  findings.errors.push_back(std::move(fail(Kind::unfit, "preflight", std::move(message), std::move(hint)).value()));
}
void warn(Findings& findings, std::string message, std::string hint) {
  findings.warnings.push_back(fail(Kind::unfit, "preflight", std::move(message), std::move(hint)).value());
}

// A file of our own unfinished run is no obstacle: this run finishes it.
Check file_available(const std::string& path, const plan::Journal& journal) {
  return {path_name("FileAvailable-", path), [path, &journal](Host& host, Findings& findings) {
            if (host.stat(path) && !journal.owns(path)) error(findings, path + " already exists", "this machine has joined a cluster before: kubeadm reset, or remove the file");
          }};
}

Check file_is_one(const std::string& path, const std::string& hint) {
  return {path_name("FileContent-", path), [path, hint](Host& host, Findings& findings) {
            const auto content = host.read(path, 64);
            if (!content) {
              error(findings, path + " does not exist", hint);
            } else if (content->empty() || content->front() != '1') {
              error(findings, path + " contents are not set to 1", hint);
            }
          }};
}

Check program(const std::string& name, bool needed, const std::string& package) {
  return {"FileExisting-" + name, [=](Host& host, Findings& findings) {
            if (host.find_program(name)) return;
            (needed ? error : warn)(findings, name + " not found in system path", "install it (Debian: apt-get install " + package + ")");
          }};
}

bool has_unit(Host& host, const std::string& unit) {
  for (const char* folder : {"/etc/systemd/system/", "/run/systemd/system/", "/usr/lib/systemd/system/", "/lib/systemd/system/"})
    if (host.stat(folder + unit)) return true;
  return false;
}

void kubelet_service(Host& host, Findings& findings) {
  if (!host.stat("/run/systemd/system")) return warn(findings, "no supported init system detected, skipping checking for services", "the kubelet has to be started by hand");
  if (!has_unit(host, "kubelet.service"))
    return warn(findings, "kubelet service does not exist", "install the kubelet's unit, or start the kubelet by hand");
}

// What changed between kubeadm 1.20 and 1.31 is taken to have changed when the kubelet learned it (swap: 1.28), else with 1.30. The programs
// that a kubelet needs no more, and those that it does, were sorted out in 1.33 (kubernetes/kubernetes pull requests 129131, 129450, 130045).
// The runtime is to tell the cgroup driver since 1.35 (134906).
constexpr int kConntrackSince = 18, kSwapTolerated = 28, kChanged = 30, kCgroupsV1Kept = 31, kProgramsSorted = 33, kRuntimeTellsDriver = 35;

Check of_releases(int from, int until, Check check) {
  check.from = from;
  check.until = until;
  return check;
}

bool swaps(Host& host) {
  const auto swaps = host.read("/proc/swaps", 64 << 10);
  return swaps && std::count(swaps->begin(), swaps->end(), '\n') > 1;
}
constexpr char kSwapHint[] = "swapoff -a, or set failSwapOn: false in the kubelet's configuration";
void no_swap(Host& host, Findings& findings) {
  if (swaps(host)) error(findings, "running with swap on is not supported. Please disable swap", kSwapHint);
}
void configured_swap(Host& host, Findings& findings) {
  if (swaps(host)) warn(findings, "swap is supported for cgroup v2 only; the kubelet must be properly configured to use swap", kSwapHint);
}

Check empty_folder(const std::string& path) {
  return {path_name("DirAvailable-", path), [path](Host& host, Findings& findings) {
            const auto names = host.list(path);
            if (names && !names->empty()) error(findings, path + " is not empty", "this machine has been a control plane: kubeadm reset, or remove what is in it");
          }};
}

// The runtime is asked over its socket, so that crictl is for people alone.
Check crictl() {
  return {"FileExisting-crictl", [](Host& host, Findings& findings) {
            if (!host.find_program("crictl")) warn(findings, "crictl not found in system path", "kubejoin does not need it; whoever debugs this node will");
          }};
}

// What kubeadm's validator asks of the kernel (k8s.io/system-validators kernel_validator.go): 3.10 or later. Its build options are told by
// the distribution's kernel in /boot, where that is; they are not asked for in containers and images without one.
void kernel(Host& host, Findings& findings) {
  const auto release = host.read("/proc/sys/kernel/osrelease", 256);
  if (!release) return;
  const std::string name(trim(*release));
  const auto parts = split(name, '.');
  const int major = std::atoi(parts[0].c_str()), minor = parts.size() > 1 ? std::atoi(parts[1].c_str()) : 0;
  if (major < 3 || (major == 3 && minor < 10)) error(findings, "unsupported kernel release: " + printable(name), "install a kernel of 3.10 or later");
  const auto options = host.read("/boot/config-" + name, 4 << 20);
  if (!options) return;
  for (const char* option : {"NAMESPACES", "NET_NS", "PID_NS", "IPC_NS", "UTS_NS", "CGROUPS", "CGROUP_CPUACCT", "CGROUP_DEVICE", "CGROUP_FREEZER", "CGROUP_PIDS", "CGROUP_SCHED",
                             "CPUSETS", "MEMCG", "INET", "EXT4_FS", "PROC_FS", "NETFILTER_XT_TARGET_REDIRECT", "NETFILTER_XT_MATCH_COMMENT", "FAIR_GROUP_SCHED"}) {
    const std::string key = std::string("\nCONFIG_") + option;
    if (options->find(key + "=y") == std::string::npos && options->find(key + "=m") == std::string::npos)
      warn(findings, std::string("the kernel was built without CONFIG_") + option, "use a kernel of the distribution");
  }
}

void cgroups(Host& host, Findings& findings) {
  const auto controllers = host.read("/sys/fs/cgroup/cgroup.controllers", 4096);
  if (controllers) {
    for (const char* needed : {"cpu", "memory", "pids"})
      if (controllers->find(needed) == std::string::npos) error(findings, std::string("missing required cgroups: ") + needed, "enable the controller on the kernel command line");
    return;
  }
  const auto v1 = host.read("/proc/cgroups", 16 << 10);
  if (!v1) return warn(findings, "unable to read /proc/cgroups", "");
  for (const std::string& line : split(*v1, '\n')) {
    const auto fields = split(line, '\t');
    const bool wanted = fields.size() == 4 && (fields[0] == "cpu" || fields[0] == "memory" || fields[0] == "cpuset");
    if (wanted && fields[3] == "0") error(findings, "missing required cgroups: " + fields[0], "enable the controller on the kernel command line");
  }
}
void no_cgroups_v1(Host& host, Findings& findings) {
  if (host.stat("/proc/cgroups") && !host.stat("/sys/fs/cgroup/cgroup.controllers"))
    warn(findings, "cgroups v1 support is in maintenance mode; kubelet 1.35 and later refuse it unless failCgroupV1 is false", "migrate to cgroups v2");
}

}  // namespace

Result<std::string> detect_cri_socket(Host& host, const std::string& configured) {
  if (!configured.empty()) return configured;
  std::vector<std::string> found;
  for (const char* path : {"/var/run/containerd/containerd.sock", "/var/run/crio/crio.sock", "/var/run/cri-dockerd.sock"}) {
    const auto info = host.stat(path);
    if (info && info->type == FileType::socket) found.push_back("unix://" + std::string(path));
  }
  if (found.empty()) return std::string("unix:///var/run/containerd/containerd.sock");
  if (found.size() == 1) return found.front();
  return fail(Kind::unfit, "preflight.cri-ambiguous",
              "found multiple CRI endpoints on the host. Please define which one do you wish to use by setting the 'criSocket' field: " + join(found, ", "),
              "--cri-socket " + found.front() + ", or nodeRegistration.criSocket");
}

std::vector<Check> checks_for(const plan::JoinState& state) {
  std::vector<Check> checks;
  checks.push_back({"IsPrivilegedUser", [](Host& host, Findings& findings) {
                      if (host.effective_uid() != 0) error(findings, "user is not running as root", "run kubejoin as root");
                    }});
  checks.push_back(of_releases(0, kChanged, empty_folder("/etc/kubernetes/manifests")));
  for (const std::string& path : {std::string(plan::kKubeletConf), std::string(plan::kBootstrapConf), state.config.ca_cert_path})
    checks.push_back(file_available(path, state.journal));
  checks.push_back({"CRI", [&state](Host& host, Findings& findings) {
                      if (auto status = check_runtime(host, state.cri_socket); !status) findings.errors.push_back(std::move(status).error());
                    }});
  checks.push_back(of_releases(kRuntimeTellsDriver, plan::kNever, {"ContainerRuntimeVersion", [&state](Host& host, Findings& findings) {
                                 if (lacks_runtime_config(host, state.cri_socket))
                                   warn(findings, "the container runtime does not support the CRI method RuntimeConfig, which kubelets after 1.37 want", "update it: containerd 2.0 or CRI-O 1.28, or later");
                               }}));
  std::string endpoint;
  if (state.config.token_discovery) {
    const auto parsed = parse_host_port(state.config.token_discovery->endpoints.front());
    if (parsed) endpoint = parsed->host;
  }
  constexpr char kBridge[] = "modprobe br_netfilter, and a file in /etc/modules-load.d; then sysctl -w net.bridge.bridge-nf-call-iptables=1";
  checks.push_back(of_releases(0, kChanged, file_is_one("/proc/sys/net/bridge/bridge-nf-call-iptables", kBridge)));
  if (is_ipv6(endpoint)) {
    checks.push_back(of_releases(0, kChanged, file_is_one("/proc/sys/net/bridge/bridge-nf-call-ip6tables", kBridge)));
    checks.push_back(file_is_one("/proc/sys/net/ipv6/conf/default/forwarding", "sysctl -w net.ipv6.conf.default.forwarding=1"));
  } else {
    checks.push_back(file_is_one("/proc/sys/net/ipv4/ip_forward", "sysctl -w net.ipv4.ip_forward=1, and a file in /etc/sysctl.d"));
  }
  checks.push_back(of_releases(0, kSwapTolerated, {"Swap", no_swap}));
  checks.push_back(of_releases(kSwapTolerated, plan::kNever, {"Swap", configured_swap}));
  checks.push_back(of_releases(kConntrackSince, kChanged, program("conntrack", true, "conntrack")));
  checks.push_back(of_releases(0, kProgramsSorted, program("ip", true, "iproute2")));
  checks.push_back(of_releases(0, kProgramsSorted, program("iptables", true, "iptables")));
  checks.push_back(program("mount", true, "mount"));
  checks.push_back(of_releases(0, kProgramsSorted, program("nsenter", true, "util-linux")));
  checks.push_back(of_releases(0, kChanged, program("ebtables", false, "ebtables")));
  checks.push_back(of_releases(0, kProgramsSorted, program("ethtool", false, "ethtool")));
  checks.push_back(of_releases(0, kChanged, program("socat", false, "socat")));
  checks.push_back(of_releases(0, kProgramsSorted, program("tc", false, "iproute2")));
  checks.push_back(of_releases(0, kProgramsSorted, program("touch", false, "coreutils")));
  checks.push_back(of_releases(kProgramsSorted, plan::kNever, program("losetup", true, "mount")));
  checks.push_back(of_releases(kProgramsSorted, plan::kNever, program("cp", true, "coreutils")));
  checks.push_back(of_releases(0, kChanged, crictl()));
  checks.push_back({"SystemVerification", [](Host& host, Findings& findings) {
                      kernel(host, findings);
                      cgroups(host, findings);
                    }});
  checks.push_back(of_releases(kCgroupsV1Kept, plan::kNever, {"SystemVerification", no_cgroups_v1}));
  checks.push_back({"Hostname", [&state](Host& host, Findings& findings) {
                      const std::string name = state.node_name();
                      if (!is_dns1123_subdomain(name)) return error(findings, "node name " + quoted(name) + " is not a valid RFC 1123 name", "--node-name");
                      if (!host.resolves(name, Millis{1000})) warn(findings, "hostname \"" + name + "\" could not be reached", "add it to /etc/hosts or DNS");
                    }});
  checks.push_back({"KubeletVersion", [](Host& host, Findings& findings) {
                      if (!host.find_program("kubelet")) error(findings, "kubelet not found in system path", "install the kubelet");
                    }});
  checks.push_back(of_releases(0, kProgramsSorted, {"Service-Kubelet", kubelet_service}));
  checks.push_back(of_releases(kProgramsSorted, plan::kNever, {"Service-kubelet", kubelet_service}));
  checks.push_back({"Port-10250", [](Host& host, Findings& findings) {
                      if (!host.can_listen(10250)) error(findings, "Port 10250 is in use", "find the process: ss -ltnp 'sport = :10250'");
                    }});
  if (state.config.token_discovery && !endpoint.empty()) {
    checks.push_back({"HTTPProxy", [endpoint](Host& host, Findings& findings) {
                        for (const char* name : {"HTTPS_PROXY", "https_proxy"}) {
                          const auto proxy = host.environment(name);
                          if (!proxy || proxy->empty()) continue;
                          const std::string none = host.environment("NO_PROXY").value_or("") + "," + host.environment("no_proxy").value_or("");
                          if (none.find(endpoint) == std::string::npos)
                            warn(findings, "connection to \"https://" + endpoint + "\" uses the proxy of " + name, "if that is not wanted, add the host to NO_PROXY");
                        }
                      }});
  }
  return checks;
}

namespace {

// Kubernetes' version skew policy: a kubelet is never newer than the API server, and at most three minor releases older, two up to 1.27.
// kubeadm's KubeletVersion checks the first at init alone, so that for a join it is a warning; here because the cluster's release decides.
void hold_version_skew(plan::JoinState& state, int kubelet) {
  const std::string version = "1." + std::to_string(kubelet);
  const auto hold = [&](const std::string& text, const char* hint, int from, int until) {
    Error finding = fail(Kind::unfit, "preflight.KubeletVersion", text, hint).value();
    state.held.push_back({std::move(finding), false, from, until});
  };
  hold("the kubelet version is higher than the control plane version. This is not a supported version skew and may lead to a malfunctional cluster. Kubelet version: " + version,
       "install a kubelet of the cluster's release, or upgrade the control plane first", 1, kubelet);
  hold("Kubelet version " + version + " is too old for the control plane version. Please upgrade kubelet", "install a kubelet of the cluster's release",
       kubelet + (kubelet + 3 < 28 ? 3 : 4), plan::kNever - 1);
}

}  // namespace

Status check_machine(plan::Context& context) {
  plan::JoinState& state = context.state;
  context.observer.note("Running pre-flight checks");
  TRY(state.cri_socket, detect_cri_socket(context.host, state.config.cri_socket));
  const auto& ignored = state.config.ignore_preflight_errors;
  const auto is_ignored = [&](const std::string& name) {
    return std::any_of(ignored.begin(), ignored.end(), [&](const std::string& i) { return i == "all" || i == lower(name); });
  };
  std::vector<plan::Finding> found;
  for (const Check& check : checks_for(state)) {
    Findings findings;
    check.run(context.host, findings);
    for (auto* list : {&findings.warnings, &findings.errors}) {
      for (Error& finding : *list) {
        finding.id = "preflight." + check.name;
        found.push_back({std::move(finding), list == &findings.errors && !is_ignored(check.name), check.from, check.until});
      }
    }
  }
  // What only some releases ask for waits until the cluster has told its release, before anything is written; a fit machine asks no
  // kubelet. An image that was verified knows; and where the join ends here, all is told together.
  const auto is_sure = [](const plan::Finding& f) { return f.from == 0 && f.until == plan::kNever; };
  const bool ends_here = state.preflight_alone || std::any_of(found.begin(), found.end(), [&](const plan::Finding& f) { return f.fatal && is_sure(f); });
  const int minor = ends_here ? plan::ask_kubelet_minor(context.host, state) : plan::baked_kubelet_minor(context.host, state);
  if (!ends_here && minor == 0) {
    const auto unsure = std::stable_partition(found.begin(), found.end(), is_sure);
    state.held.assign(std::make_move_iterator(unsure), std::make_move_iterator(found.end()));
    found.erase(unsure, found.end());
  }
  if (!ends_here && minor != 0) hold_version_skew(state, minor);
  return plan::settle(context, std::move(found), minor);
}

}  // namespace kubejoin::preflight
