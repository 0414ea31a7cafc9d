// What each release changed, in two tables; and systemd's two levels of quoting.
#include "kube/kubelet_flags.h"

#include <algorithm>

#include "base/text.h"

namespace kubejoin::kube {
namespace {

// The flags that the kubelets 1.`since` up to, and without, 1.`until` have. Read from the sources of 1.15.12 to 1.38.0-beta.0:
// cmd/kubelet/app/options (options.go, container_runtime.go, globalflags*.go), pkg/kubelet/config/flags.go and
// component-base/logs; those of Windows are left out. A new release is a row here, and kNewestKubelet.
struct Era {
  int since, until;
  std::string_view names;
};
constexpr Era kEras[] = {
    // never removed
    {0, kForGood,
     "address allowed-unsafe-sysctls anonymous-auth authentication-token-webhook authentication-token-webhook-cache-ttl authorization-mode "
     "authorization-webhook-cache-authorized-ttl authorization-webhook-cache-unauthorized-ttl bootstrap-kubeconfig cert-dir cgroup-driver "
     "cgroup-root cgroups-per-qos client-ca-file cloud-provider cluster-dns cluster-domain config container-log-max-files "
     "container-log-max-size container-runtime-endpoint contention-profiling cpu-cfs-quota cpu-cfs-quota-period cpu-manager-policy "
     "cpu-manager-reconcile-period enable-controller-attach-detach enable-debugging-handlers enable-server enforce-node-allocatable "
     "event-burst event-qps eviction-hard eviction-max-pod-grace-period eviction-minimum-reclaim eviction-pressure-transition-period "
     "eviction-soft eviction-soft-grace-period exit-on-lock-contention experimental-allocatable-ignore-eviction experimental-mounter-path "
     "fail-swap-on feature-gates file-check-frequency hairpin-mode healthz-bind-address healthz-port help hostname-override "
     "housekeeping-interval http-check-frequency image-credential-provider-bin-dir image-credential-provider-config image-gc-high-threshold "
     "image-gc-low-threshold image-service-endpoint kernel-memcg-notification kube-api-burst kube-api-content-type kube-api-qps "
     "kube-reserved kube-reserved-cgroup kubeconfig kubelet-cgroups lock-file log-flush-frequency logging-format make-iptables-util-chains "
     "manifest-url manifest-url-header max-open-files max-pods maximum-dead-containers maximum-dead-containers-per-container "
     "minimum-container-ttl-duration minimum-image-ttl-duration node-ip node-labels node-status-max-images node-status-update-frequency "
     "oom-score-adj pod-cidr pod-manifest-path pod-max-pids pods-per-core port protect-kernel-defaults provider-id qos-reserved "
     "read-only-port register-node register-with-taints registry-burst registry-qps reserved-cpus resolv-conf root-dir rotate-certificates "
     "rotate-server-certificates runonce runtime-cgroups runtime-request-timeout serialize-image-pulls streaming-connection-idle-timeout "
     "sync-frequency system-cgroups system-reserved system-reserved-cgroup tls-cert-file tls-cipher-suites tls-min-version "
     "tls-private-key-file topology-manager-policy topology-manager-scope v version vmodule volume-plugin-dir volume-stats-agg-period"},

    // new
    {21, kForGood, "memory-manager-policy reserved-memory"},
    {22, kForGood, "cpu-manager-policy-options seccomp-default"},
    {23, kForGood, "log-json-info-buffer-size log-json-split-stream"},
    {25, kForGood, "local-storage-capacity-isolation"},
    {26, kForGood, "topology-manager-policy-options"},
    {28, kForGood, "config-dir"},
    {30, kForGood, "log-text-info-buffer-size log-text-split-stream"},
    {31, kForGood, "fail-cgroupv1"},

    // removed
    {0, 16, "containerized"},
    {0, 19, "bootstrap-checkpoint-path experimental-dockershim"},
    {0, 20, "redirect-container-streaming"},
    {0, 21, "enable-cadvisor-json-endpoints"},
    {0, 22, "chaos-chance"},
    {0, 23, "experimental-bootstrap-kubeconfig seccomp-profile-root"},
    {0, 24,  // with dockershim, and with dynamic kubelet configuration
     "cni-bin-dir cni-cache-dir cni-conf-dir docker docker-endpoint docker-env-metadata-whitelist docker-only docker-root docker-tls "
     "docker-tls-ca docker-tls-cert docker-tls-key dynamic-config-dir experimental-check-node-capabilities-before-mount "
     "experimental-dockershim-root-directory experimental-logging-sanitization image-pull-progress-deadline network-plugin "
     "network-plugin-mtu non-masquerade-cidr really-crash-for-testing"},
    {0, 25, "experimental-kernel-memcg-notification"},
    {0, 26,  // klog's own
     "add-dir-header alsologtostderr log-backtrace-at log-dir log-file log-file-max-size logtostderr one-output skip-headers "
     "skip-log-headers stderrthreshold"},
    {0, 27, "container-runtime master-service-namespace"},
    {0, 30, "azure-container-registry-config"},
    {0, 31, "iptables-drop-bit iptables-masquerade-bit keep-terminated-pod-volumes"},
    {0, 34, "cloud-config register-schedulable"},
    {0, 35, "pod-infra-container-image"},
    {0, 37,  // cAdvisor's
     "application-metrics-count-limit boot-id-file container-hints containerd containerd-namespace enable-load-reader "
     "event-storage-age-limit event-storage-event-limit global-housekeeping-interval log-cadvisor-usage machine-id-file "
     "storage-driver-buffer-duration storage-driver-db storage-driver-host storage-driver-password storage-driver-secure "
     "storage-driver-table storage-driver-user"},
};

// The kubelets 1.`from` up to, and without, 1.`until` end at once when a flag has this value; empty: any that no row names.
struct Value {
  std::string_view flag, value;
  int from, until;
};
constexpr Value kValues[] = {
    // pkg/cloudprovider/providers/providers.go says which are built in; with one that is not, cmd/kubelet/app/server.go ended up to 1.33
    // and does not look from 1.34 on. 1.29 has switched off the rest, behind the gate DisableCloudProviders.
    {"cloud-provider", "external", kForGood, kForGood},
    {"cloud-provider", "openstack", 26, 34},
    {"cloud-provider", "aws", 27, 34},
    {"cloud-provider", "azure", 30, 34},
    {"cloud-provider", "vsphere", 30, 34},
    {"cloud-provider", "gce", 31, 34},
    {"cloud-provider", "", kOldestKubelet, 34},
    // cmd/kubelet/app/options/options.go, ValidateKubeletFlags: dockershim left with 1.24.
    {"container-runtime", "remote", kForGood, kForGood},
    {"container-runtime", "docker", 24, 27},
    {"container-runtime", "", kOldestKubelet, 27},
};

std::string release(int minor) { return "1." + std::to_string(minor); }

bool has_word(std::string_view words, std::string_view word) {
  for (std::size_t at = words.find(word); at != words.npos; at = words.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || words[at - 1] == ' ') && (end == words.size() || words[end] == ' ')) return true;
  }
  return false;
}

const Era* era_of(std::string_view name) {
  const auto* era = name.empty() || name.find(' ') != name.npos
                        ? std::end(kEras)
                        : std::find_if(std::begin(kEras), std::end(kEras), [&](const Era& e) { return has_word(e.names, name); });
  return era != std::end(kEras) ? era : nullptr;
}

Refusal unknown(const std::string& name) {
  std::vector<std::string> known;
  for (const Era& era : kEras)
    for (std::string& word : split(era.names, ' '))
      if (era.until == kForGood) known.push_back(std::move(word));
  const auto meant = did_you_mean(name, known);
  return {kOldestKubelet, kNewestKubelet + 1,
          "no kubelet of " + release(kOldestKubelet) + " to " + release(kNewestKubelet) + " has the flag --" + printable(name) +
              (meant ? " (did you mean --" + *meant + "?)" : "") + "; it would not start",
          meant ? "" : "remove it: kubelet --help lists what there is"};
}

const Value* row_of(std::string_view flag, std::string_view value) {
  for (const Value& row : kValues)
    if (row.flag == flag && (row.value == value || row.value.empty())) return &row;
  return nullptr;
}

// In what a word of $KEY may hold plainly, white space, quotes and backslashes mean something.
std::string argument_word(const std::string& word) {
  if (word.find_first_of(" \t\"'\\") == word.npos) return word;
  if (word.find_first_of("'\\") == word.npos) return "'" + word + "'";
  return "\"" + replace_all(replace_all(word, "\\", "\\\\"), "\"", "\\\"") + "\"";
}

}  // namespace

std::vector<Refusal> refusals_of(std::string_view given, std::string_view value) {
  const std::string name = replace_all(std::string(given), "_", "-");
  const Era* era = era_of(name);
  if (era == nullptr) return {unknown(name)};
  std::vector<Refusal> refusals;
  const std::string flag = "the kubelet's flag --" + name;
  if (era->since > kOldestKubelet)
    refusals.push_back({kOldestKubelet, era->since, flag + " is new in " + release(era->since) + ": an older kubelet does not start with it", "remove it, or install a newer kubelet"});
  if (era->until != kForGood)
    refusals.push_back({std::max(era->until, kOldestKubelet), kForGood,
                        flag + " was removed in " + release(era->until) + ": the kubelet of " + release(era->until) + " and later does not start with it",
                        "remove it, if the kubelet is of that release or later"});
  const Value* row = row_of(name, value);
  if (row == nullptr || value.empty() || row->from == kForGood) return refusals;
  const std::string message = flag + " does not take " + quoted(value) + (row->from > kOldestKubelet ? " since " + release(row->from) : "");
  if (name == "cloud-provider")
    refusals.push_back({row->from, row->until, message + ": the kubelet does not start with it, and from 1.34 on does as if nothing was said",
                        "write external, and run that cloud's own controller manager"});
  else
    refusals.push_back({row->from, row->until, message + ": the kubelet does not start with it", "remove it"});
  return refusals;
}

std::string environment_line(std::string_view key, std::span<const std::string> words) {
  std::string value;
  for (const std::string& word : words) value += (value.empty() ? "" : " ") + argument_word(word);
  // Between double quotes systemd's reader knows \" and \\ (env-file.c); a dollar is a dollar.
  return std::string(key) + "=\"" + replace_all(replace_all(value, "\\", "\\\\"), "\"", "\\\"") + "\"\n";
}

bool carriable(std::string_view word) {
  return std::none_of(word.begin(), word.end(), [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; });
}

}  // namespace kubejoin::kube
