// The table of checks. Files and sockets are asked, not programs.
#include "preflight/checks.h"

#include <algorithm>
#include <memory>

#include "base/retry.h"
#include "base/text.h"
#include "plan/join_plan.h"

namespace kubejoin::preflight {
namespace {

namespace since = kube::since;

constexpr Millis kAddressWait{10'000};  // for an address that DHCP is about to bring

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
            if (host.stat(path) && !journal.owns(path)) error(findings, path + " already exists", "this machine has joined a cluster before: kubejoin reset, or remove the file");
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

Check program(const since::Program& one) {
  return {"FileExisting-" + std::string(one.name), [one](Host& host, Findings& findings) {
            if (host.find_program(std::string(one.name))) return;
            (one.needed ? error : warn)(findings, std::string(one.name) + " not found in system path", "install it (Debian: apt-get install " + std::string(one.package) + ")");
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
            if (names && !names->empty()) error(findings, path + " is not empty", "kubejoin reset empties it, kubeadm reset where this machine was a control plane");
          }};
}

// What kubeadm's validator asks of the kernel (k8s.io/system-validators types_unix.go, kernel_validator.go): a release of its list, and build
// options, which are told by the distribution's kernel in /boot, where that is; they are not asked for in containers and images without one.
struct KernelRule {
  int from, until;
  bool needed;
  bool (*takes)(int major, int minor);
  const char* hint;
};
constexpr KernelRule kKernelRules[] = {
    {0, since::kKernel419, true, [](int major, int minor) { return major > 3 || (major == 3 && minor >= 10); }, "install a kernel of 3.10 or later"},
    {since::kKernel419, since::kKernelAdvised, true, [](int major, int minor) { return major > 4 || (major == 4 && minor >= 19); }, "install a kernel of 4.19 or later"},
    {since::kKernelAdvised, plan::kNever, false, [](int major, int minor) { return major > 5 || (major == 5 && (minor == 4 || minor == 10 || minor == 15)); },
     "5.4, 5.10, 5.15 and 6.x are supported"},
};

Check kernel_release(const KernelRule& rule) {
  Check check{"SystemVerification", [&rule](Host& host, Findings& findings) {
                const auto release = host.read("/proc/sys/kernel/osrelease", 256);
                if (!release) return;
                const std::string name(trim(*release));
                const auto parts = split(name, '.');
                if (rule.takes(std::atoi(parts[0].c_str()), parts.size() > 1 ? std::atoi(parts[1].c_str()) : 0)) return;
                (rule.needed ? error : warn)(findings, "unsupported kernel release: " + printable(name), rule.hint);
              }};
  check.from = rule.from;
  check.until = rule.until;
  return check;
}

void kernel_options(Host& host, Findings& findings) {
  const auto release = host.read("/proc/sys/kernel/osrelease", 256);
  if (!release) return;
  const auto options = host.read("/boot/config-" + std::string(trim(*release)), 4 << 20);
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
// As kubeadm, but that the kubelet's configuration has the last word, as it has in the kubelet.
void no_cgroups_v1(Host& host, Findings& findings) {
  if (!host.stat("/proc/cgroups") || host.stat("/sys/fs/cgroup/cgroup.controllers")) return;
  const std::string hint = "boot with cgroups v2 (systemd.unified_cgroup_hierarchy=1), or set failCgroupV1: false in the KubeletConfiguration of the cluster or of a patch";
  const Error warning = fail(Kind::unfit, "preflight", "cgroups v1 support is in maintenance mode and will be removed", hint).value();
  const Error refusal = fail(Kind::unfit, "preflight", "this machine has cgroups v1, which its kubelet refuses", hint).value();
  const auto is_set = [](bool wanted) { return [wanted](const kube::KubeletChoices& choices) { return choices.fail_cgroup_v1.value_or(!wanted) == wanted; }; };
  findings.later.push_back({warning, false, since::kNoCgroupV1Warned, since::kNoCgroupV1, [](const auto&) { return true; }, true});
  findings.later.push_back({refusal, true, since::kNoCgroupV1Warned, since::kNoCgroupV1, is_set(true)});
  findings.later.push_back({refusal, true, since::kNoCgroupV1, plan::kNever, [](const kube::KubeletChoices& choices) { return choices.fail_cgroup_v1.value_or(true); }, true});
  findings.later.push_back({warning, false, since::kNoCgroupV1, plan::kNever, is_set(false)});
}

// Two drivers for one tree of cgroups. The kubelet asks the runtime where both know how to; else its configuration says.
void same_cgroup_driver(const Runtime& runtime, Findings& findings) {
  if (runtime.cgroup_driver.empty()) return;
  const std::string& own = runtime.cgroup_driver;
  const bool tells = !runtime.lacks_runtime_config;
  const auto differs = [own, tells](bool by_default) {
    return [=](const kube::KubeletChoices& choices) { return choices.cgroup_driver != own && !(tells && choices.cgroup_driver_from_cri.value_or(by_default)); };
  };
  const bool no_pod_starts = own == "systemd";
  Error finding = fail(Kind::unfit, "preflight", no_pod_starts ? "the container runtime manages cgroups by systemd, the kubelet by itself (cgroupDriver: cgroupfs): no pod would start"
                                                               : "the container runtime manages cgroups by itself, the kubelet by systemd: what the kubelet limits and reserves does not hold for pods",
                       no_pod_starts ? "set cgroupDriver: systemd in the KubeletConfiguration of the cluster or of a patch"
                                     : "set SystemdCgroup = true in the runc options of /etc/containerd/config.toml, or cgroup_manager = \"systemd\" of CRI-O, and restart it").value();
  findings.later.push_back({finding, no_pod_starts, 0, tells ? since::kDriverFromRuntime : plan::kNever, differs(false)});
  if (tells) findings.later.push_back({std::move(finding), no_pod_starts, since::kDriverFromRuntime, since::kDriverGateLocked, differs(true)});
}

// The kubelet registers no Node under an address that no interface has. One that DHCP is about to bring is waited for.
void node_ip(Host& host, const plan::JoinState& state, Findings& findings) {
  for (const config::Arg& arg : config::effective_kubelet_args(state.config)) {
    if (arg.name != "node-ip") continue;
    for (const std::string& one : split(arg.value, ',')) {
      const std::string wanted = canonical_address(trim(one));
      if (wanted.empty() || wanted == "0.0.0.0" || wanted == "::") continue;
      const auto has_it = [&]() -> Status {
        const auto own = own_addresses(host);
        if (own.empty() || std::find(own.begin(), own.end(), wanted) != own.end()) return {};
        return fail(Kind::unavailable, "preflight", "the node's address " + quoted(wanted) + " is on no interface of this machine");
      };
      const RetryPolicy policy{.cap = Millis{1'000}, .deadline = host.monotonic() + std::min(kAddressWait, state.config.timeouts.discovery)};
      if (auto there = retry<void>(host, policy, has_it); !there) error(findings, there.error().message, "it has " + join(own_addresses(host), ", ") + "; correct node.ip or the kubelet's argument node-ip");
    }
  }
}

void host_name(Host& host, const plan::JoinState& state, Findings& findings) {
  const std::string name = state.node_name();
  if (name == "localhost" || name.starts_with("localhost."))
    return error(findings, "the node's name is still " + quoted(name) + ", which every machine has that was not named yet", "set the host name first (hostnamectl, cloud-init), or --node-name");
  if (!is_dns1123_subdomain(name)) return error(findings, "node name " + quoted(name) + " is not a valid RFC 1123 name", "--node-name");
  if (!host.resolves(name, Millis{1000})) warn(findings, "hostname \"" + name + "\" could not be reached", "add it to /etc/hosts or DNS");
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

namespace {

// The runtime is asked once, by the first of them.
void add_runtime_checks(const plan::JoinState& state, std::vector<Check>& checks) {
  const auto told = std::make_shared<Runtime>();
  const std::string update = "update it: containerd 2.0 or CRI-O 1.28, or later";
  checks.push_back({"CRI", [&state, told](Host& host, Findings& findings) {
                      *told = ask_runtime(host, state.cri_socket);
                      if (!told->ready) findings.errors.push_back(told->ready.error());
                    }});
  checks.push_back(of_releases(since::kRuntimeV1Only, plan::kNever, {"CRI", [told](Host&, Findings& findings) {
                                 if (told->ready && !told->speaks_v1)
                                   error(findings, "the container runtime speaks CRI v1alpha2 alone; kubelets from 1.26 on want v1 and do not start without it", "update it: containerd 1.6 or CRI-O 1.20, or later");
                               }}));
  checks.push_back(of_releases(0, since::kRuntimeV1, {"CRI", [&state, told](Host& host, Findings& findings) {
                                 const auto baked = state.kubelet_minor;  // without it, not asked for the sake of releases that hardly anybody has
                                 if (baked != 0 && baked < since::kRuntimeV1 && told->ready && told->speaks_v1 && !speaks_v1alpha2(host, state.cri_socket))
                                   error(findings, "the container runtime does not speak CRI v1alpha2, which is all that kubelets before 1.23 speak", "install a runtime of their time: containerd 1.4 to 1.7");
                               }}));
  checks.push_back(of_releases(since::kRuntimeTellsDriver, plan::kNever, {"ContainerRuntimeVersion", [told, update](Host&, Findings& findings) {
                                 if (told->speaks_v1 && told->lacks_runtime_config)
                                   warn(findings, "the container runtime does not support the CRI method RuntimeConfig, which kubelets after 1.37 want", update);
                               }}));
  checks.push_back({"CgroupDriver", [told](Host&, Findings& findings) { same_cgroup_driver(*told, findings); }});
}

}  // namespace

std::vector<Check> checks_for(const plan::JoinState& state) {
  std::vector<Check> checks;
  checks.push_back({"IsPrivilegedUser", [](Host& host, Findings& findings) {
                      if (host.effective_uid() != 0) error(findings, "user is not running as root", "run kubejoin as root");
                    }});
  checks.push_back(of_releases(0, since::kFewerChecks, empty_folder("/etc/kubernetes/manifests")));
  for (const std::string& path : {std::string(plan::kKubeletConf), std::string(plan::kBootstrapConf), state.config.ca_cert_path})
    checks.push_back(file_available(path, state.journal));
  add_runtime_checks(state, checks);
  std::string endpoint;
  if (state.config.token_discovery) {
    const auto parsed = parse_host_port(state.config.token_discovery->endpoints.front());
    if (parsed) endpoint = parsed->host;
  }
  constexpr char kBridge[] = "modprobe br_netfilter, and a file in /etc/modules-load.d; then sysctl -w net.bridge.bridge-nf-call-iptables=1";
  checks.push_back(of_releases(0, since::kFewerChecks, file_is_one("/proc/sys/net/bridge/bridge-nf-call-iptables", kBridge)));
  if (is_ipv6(endpoint)) {
    checks.push_back(of_releases(0, since::kFewerChecks, file_is_one("/proc/sys/net/bridge/bridge-nf-call-ip6tables", kBridge)));
    checks.push_back(file_is_one("/proc/sys/net/ipv6/conf/default/forwarding", "sysctl -w net.ipv6.conf.default.forwarding=1"));
  } else {
    checks.push_back(file_is_one("/proc/sys/net/ipv4/ip_forward", "sysctl -w net.ipv4.ip_forward=1, and a file in /etc/sysctl.d"));
  }
  checks.push_back(of_releases(0, since::kSwapTolerated, {"Swap", no_swap}));
  checks.push_back(of_releases(since::kSwapTolerated, plan::kNever, {"Swap", configured_swap}));
  for (const since::Program& one : since::kPrograms) checks.push_back(of_releases(one.from, one.until, program(one)));
  // The runtime is asked over its socket, so that crictl is for people alone.
  checks.push_back(of_releases(0, since::kFewerChecks, {"FileExisting-crictl", [](Host& host, Findings& findings) {
                                 if (!host.find_program("crictl")) warn(findings, "crictl not found in system path", "kubejoin does not need it; whoever debugs this node will");
                               }}));
  for (const KernelRule& rule : kKernelRules) checks.push_back(kernel_release(rule));
  checks.push_back({"SystemVerification", kernel_options});
  checks.push_back({"SystemVerification", cgroups});
  checks.push_back({"SystemVerification", no_cgroups_v1});
  checks.push_back({"Hostname", [&state](Host& host, Findings& findings) { host_name(host, state, findings); }});
  checks.push_back({"KubeletVersion", [](Host& host, Findings& findings) {
                      if (!host.find_program("kubelet")) error(findings, "kubelet not found in system path", "install the kubelet");
                    }});
  checks.push_back(of_releases(0, since::kProgramsSorted, {"Service-Kubelet", kubelet_service}));
  checks.push_back(of_releases(since::kProgramsSorted, plan::kNever, {"Service-kubelet", kubelet_service}));
  checks.push_back({"NodeIP", [&state](Host& host, Findings& findings) { node_ip(host, state, findings); }});
  checks.push_back({"Port-10250", [](Host& host, Findings& findings) {
                      if (!host.can_listen(10250)) error(findings, "Port 10250 is in use", "find the process: ss -ltnp 'sport = :10250'");
                    }});
  for (Check& check : argument_checks(state.config)) checks.push_back(std::move(check));
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
  std::vector<plan::Finding> found, later;
  (void)plan::baked_kubelet_minor(context.host, state);
  for (const Check& check : checks_for(state)) {
    Findings findings;
    check.run(context.host, findings);
    for (auto* list : {&findings.warnings, &findings.errors}) {
      for (Error& finding : *list) {
        finding.id = "preflight." + check.name;
        found.push_back({std::move(finding), list == &findings.errors && !is_ignored(check.name), check.from, check.until});
      }
    }
    for (plan::Finding& finding : findings.later) {
      finding.error.id = "preflight." + check.name;
      finding.fatal = finding.fatal && !is_ignored(check.name);
      later.push_back(std::move(finding));
    }
  }
  // What only some releases ask for waits until the cluster has told its release, before anything is written; a fit machine asks no
  // kubelet. An image that was verified knows; and where the join ends here, all is told together.
  const auto is_sure = [](const plan::Finding& f) { return f.from == 0 && f.until == plan::kNever; };
  // One that a current release refuses is worth asking the kubelet for: most kubelets are.
  const auto is_likely = [](const plan::Finding& f) { return f.fatal && f.from != 0 && f.until == plan::kNever; };
  const bool ends_here = state.preflight_alone || std::any_of(found.begin(), found.end(), [&](const plan::Finding& f) { return f.fatal && is_sure(f); });
  // Whether an argument kills the kubelet is the kubelet's own release's matter, not the cluster's.
  const auto decides = [&](const plan::Finding& f) { return is_likely(f) || f.error.id == "preflight.KubeletArguments"; };
  const int minor = ends_here || std::any_of(found.begin(), found.end(), decides) ? plan::ask_kubelet_minor(context.host, state) : plan::baked_kubelet_minor(context.host, state);
  if (!ends_here && minor == 0) {
    const auto unsure = std::stable_partition(found.begin(), found.end(), is_sure);
    state.held.assign(std::make_move_iterator(unsure), std::make_move_iterator(found.end()));
    found.erase(unsure, found.end());
  }
  if (ends_here) {
    for (plan::Finding& finding : later) {
      if (!finding.presumed) continue;
      finding.fatal = finding.fatal && state.preflight_alone;  // where the cluster would have been asked, nobody knows
      found.push_back(std::move(finding));
    }
  } else {
    state.held.insert(state.held.end(), later.begin(), later.end());
    if (minor != 0) hold_version_skew(state, minor);
  }
  return plan::settle(context, std::move(found), minor);
}

}  // namespace kubejoin::preflight
