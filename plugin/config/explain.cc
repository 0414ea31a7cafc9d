// What each field ended up as. A field without a row is shown as "?"; a test sees to it that there is none.
#include <algorithm>
#include <iterator>

#include "base/http.h"
#include "base/secret.h"
#include "base/text.h"
#include "config/user_data.h"

namespace kubejoin::config {
namespace {

constexpr std::size_t kColumn = 48;

std::string flag(bool value) { return value ? "true" : "false"; }
std::string list(std::vector<std::string> items) { return "[" + join(items, ", ") + "]"; }

std::string taints(const JoinConfig& c) {
  std::vector<std::string> items;
  for (const Taint& taint : c.taints)
    items.push_back(taint.key + (taint.value.empty() ? "" : "=" + taint.value) + ":" + taint.effect);
  return list(std::move(items));
}

std::string kubelet_args(const JoinConfig& c) {
  std::vector<std::string> items;
  for (const Arg& arg : c.kubelet_extra_args) items.push_back(arg.name + "=" + arg.value);
  return list(std::move(items));
}

template <class Map, class Show>
std::string pairs(const Map& map, const Show& show) {
  std::vector<std::string> items;
  items.reserve(map.size());
  for (const auto& [key, value] : map) items.push_back(key + "=" + show(value));
  return list(std::move(items));
}

// Of a token the public half; of a URL what is no credential.
std::string token(const Secret& secret) { return without_tokens(secret.expose()); }
std::string place(const std::string& text) { return text.find("://") == text.npos ? text : shown_url(text); }

struct Row {
  std::string_view path;
  std::string (*show)(const JoinConfig&);
};

constexpr Row kRows[] = {
    {"discovery.bootstrapToken.token", [](const JoinConfig& c) { return token(c.token_discovery->token); }},
    {"discovery.bootstrapToken.apiServerEndpoint", [](const JoinConfig& c) { return join(c.token_discovery->endpoints, ", "); }},
    {"discovery.bootstrapToken.caCertHashes", [](const JoinConfig& c) { return list(c.token_discovery->ca_cert_hashes); }},
    {"discovery.bootstrapToken.unsafeSkipCAVerification", [](const JoinConfig& c) { return flag(c.token_discovery->unsafe_skip_ca_verification); }},
    {"discovery.file.kubeConfigPath", [](const JoinConfig& c) { return place(c.file_discovery->kubeconfig_path); }},
    {"discovery.tlsBootstrapToken", [](const JoinConfig& c) { return token(c.tls_bootstrap_token); }},
    {"nodeRegistration.name", [](const JoinConfig& c) { return c.node_name; }},
    {"nodeRegistration.criSocket", [](const JoinConfig& c) { return c.cri_socket; }},
    {"nodeRegistration.taints", taints},
    {"nodeRegistration.kubeletExtraArgs", kubelet_args},
    {"nodeRegistration.ignorePreflightErrors", [](const JoinConfig& c) { return list(c.ignore_preflight_errors); }},
    {"caCertPath", [](const JoinConfig& c) { return c.ca_cert_path; }},
    {"skipPhases", [](const JoinConfig& c) { return list(c.skip_phases); }},
    {"patches.directory", [](const JoinConfig& c) { return c.patches_directory; }},
    {"featureGates", [](const JoinConfig& c) { return pairs(c.feature_gates, flag); }},
    {"clusterName", [](const JoinConfig& c) { return c.cluster_name; }},
    {"dryRun", [](const JoinConfig& c) { return flag(c.dry_run); }},
    {"timeouts.discovery", [](const JoinConfig& c) { return format_duration(c.timeouts.discovery); }},
    {"timeouts.tlsBootstrap", [](const JoinConfig& c) { return format_duration(c.timeouts.tls_bootstrap); }},
    {"timeouts.kubeletHealthCheck", [](const JoinConfig& c) { return format_duration(c.timeouts.kubelet_health_check); }},
    {"timeouts.kubernetesAPICall", [](const JoinConfig& c) { return format_duration(c.timeouts.kubernetes_api_call); }},
    {"FirstBoot.token.from", [](const JoinConfig& c) { return place(c.first_boot.token_from); }},
    {"FirstBoot.node.name", [](const JoinConfig& c) { return c.node_name; }},
    {"FirstBoot.node.ip", [](const JoinConfig& c) { return c.first_boot.node_ip; }},
    {"FirstBoot.node.ip.cidr", [](const JoinConfig& c) { return c.first_boot.node_ip_cidr; }},
    {"FirstBoot.node.labels", [](const JoinConfig& c) { return pairs(c.first_boot.labels, [](const std::string& v) { return v; }); }},
    {"FirstBoot.node.providerID", [](const JoinConfig& c) { return c.first_boot.provider_id; }},
    {"FirstBoot.bootstrap.by", [](const JoinConfig& c) { return std::string(c.first_boot.bootstrap_by == BootstrapBy::kubelet ? "kubelet" : "kubejoin"); }},
    {"FirstBoot.wait.for", [](const JoinConfig& c) {
       const WaitFor until = c.first_boot.wait_for;
       return std::string(until == WaitFor::identity ? "identity" : until == WaitFor::ready ? "ready" : "registered");
     }},
    {"FirstBoot.wait.timeout", [](const JoinConfig& c) { return format_duration(c.first_boot.wait_timeout); }},
    {"FirstBoot.start.jitter", [](const JoinConfig& c) { return format_duration(c.first_boot.start_jitter); }},
    {"FirstBoot.result.sentinel", [](const JoinConfig& c) { return c.first_boot.sentinel; }},
    {"FirstBoot.result.event", [](const JoinConfig& c) { return flag(c.first_boot.event); }},
    {"FirstBoot.kubelet.applyConfiguration", [](const JoinConfig& c) { return flag(c.first_boot.apply_kubelet_configuration); }},
};

}  // namespace

std::string explain(const Loaded& loaded) {
  std::string text;
  for (const auto& [path, origin] : loaded.origins) {
    const auto* row = std::find_if(std::begin(kRows), std::end(kRows), [&, name = std::string_view(path)](const Row& r) { return r.path == name; });
    std::string line = path + ":";
    line += " " + (row == std::end(kRows) ? "?" : without_tokens(row->show(loaded.config)));
    line += std::string(line.size() < kColumn ? kColumn - line.size() : 1, ' ') + " # " + origin;
    text += printable(line, line.size() + 1) + "\n";
  }
  return text;
}

}  // namespace kubejoin::config
