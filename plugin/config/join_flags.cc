// kubeadm's flags of 1.9 to today, and ours (spec: app/cmd/join.go, app/cmd/options/constant.go).
#include "config/join_flags.h"

#include "base/text.h"

namespace kubejoin::config {
namespace {

// Lists as pflag's StringSlice has them: repeatable, each use one line of CSV (Go encoding/csv): an item that begins with a quote ends with
// one and may hold commas and doubled quotes; a quote elsewhere is a mistake.
Status append_list(std::vector<std::string>& list, const std::string& value) {
  const auto wrong = [&](const char* what) {
    return fail(Kind::usage, "usage.list", std::string(what) + " in the list " + quoted(value), "items are separated by commas; quotes go around a whole item");
  };
  std::size_t at = 0;
  while (at < value.size()) {
    std::string item;
    if (value[at] == '"') {
      for (++at;;) {
        const std::size_t quote = value.find('"', at);
        if (quote == std::string::npos) return wrong("a quote is not closed");
        item.append(value, at, quote - at);
        at = quote + 1;
        if (at == value.size() || value[at] != '"') break;
        item += value[at++];
      }
      if (at < value.size() && value[at] != ',') return wrong("something follows a closing quote");
    } else {
      const std::size_t end = std::min(value.find(',', at), value.size());
      item = value.substr(at, end - at);
      if (item.find('"') != std::string::npos) return wrong("a quote stands inside an item");
      at = end;
    }
    list.push_back(std::move(item));
    if (at < value.size() && ++at == value.size()) list.emplace_back();  // a comma at the end: one more, empty
  }
  return {};
}

using enum JoinFlag::Whose;
constexpr JoinFlag kJoinFlags[] = {
    {.name = "config", .value_name = "FILE", .sentence = "a JoinConfiguration (v1alpha1 to v1beta4), or user-data that holds one"},
    {.name = "token", .value_name = "TOKEN", .sentence = "for discovery and TLS bootstrap, where no other is given", .secret = &Flags::token},
    {.name = "discovery-token", .value_name = "TOKEN", .sentence = "to validate cluster-info", .secret = &Flags::discovery_token},
    {.name = "discovery-token-ca-cert-hash", .value_name = "sha256:HEX,...", .sentence = "pins of the cluster's root CA keys; repeatable", .list = &Flags::ca_cert_hashes},
    {.name = "discovery-token-unsafe-skip-ca-verification", .sentence = "join without a pin", .boolean = &Flags::unsafe_skip_ca_verification},
    {.name = "discovery-file", .value_name = "FILE|URL", .sentence = "a kubeconfig, local or over https", .text = &Flags::discovery_file},
    {.name = "tls-bootstrap-token", .value_name = "TOKEN", .sentence = "to authenticate for the node's certificate", .secret = &Flags::tls_bootstrap_token},
    {.name = "node-name", .value_name = "NAME", .sentence = "the Node's name; the host name otherwise", .text = &Flags::node_name},
    {.name = "cri-socket", .value_name = "PATH", .sentence = "the container runtime's socket; detected otherwise", .text = &Flags::cri_socket},
    {.name = "feature-gates", .value_name = "NAME=BOOL,...", .sentence = "Auditing, CoreDNS, DynamicKubeletConfig, SelfHosting, StoreCertsInSecrets", .text = &Flags::feature_gates},
    {.name = "ignore-preflight-errors", .value_name = "NAME,...", .sentence = "checks whose errors are shown as warnings; `all` for every one", .list = &Flags::ignore_preflight_errors},
    {.name = "skip-phases", .value_name = "NAME,...", .sentence = "phases to leave out", .list = &Flags::skip_phases},
    {.name = "patches", .value_name = "DIR", .sentence = "kubeletconfiguration[suffix][+strategic|+merge|+json].{yaml,json}", .text = &Flags::patches},
    {.name = "dry-run", .sentence = "show every request and write; change nothing", .boolean = &Flags::dry_run},
    {.name = "wait", .value_name = "identity|registered|ready", .sentence = "what success means (default registered)", .whose = kubejoin},
    {.name = "strict", .sentence = "unknown fields of the document are errors", .whose = kubejoin},
    {.name = "root", .value_name = "DIR", .sentence = "take every path below DIR", .whose = kubejoin},
    {.name = "rootfs", .value_name = "DIR", .sentence = "kubeadm's name of --root"},
    {.name = "v", .letter = 'v', .value_name = "LEVEL", .sentence = "0 to 5: how much to tell"},
    {.name = "kubeconfig", .value_name = "FILE", .sentence = "accepted for compatibility"},
    {.name = "vmodule", .value_name = "PATTERN=N", .sentence = "accepted for compatibility"},
    {.name = "skip-headers", .sentence = "accepted for compatibility"},
    {.name = "skip-log-headers", .sentence = "accepted for compatibility"},
    {.name = "control-plane", .sentence = "not of workers: kubeadm's", .whose = control_plane},
    {.name = "experimental-control-plane", .sentence = "its name in 1.13 and 1.14", .whose = control_plane},
    {.name = "apiserver-advertise-address", .value_name = "IP", .sentence = "of control planes: ignored with a warning", .whose = control_plane},
    {.name = "apiserver-bind-port", .value_name = "PORT", .sentence = "of control planes: ignored with a warning", .whose = control_plane},
    {.name = "certificate-key", .value_name = "KEY", .sentence = "of control planes: ignored with a warning", .whose = control_plane},
};

}  // namespace

std::span<const JoinFlag> join_flags() { return kJoinFlags; }

Status set(Flags& flags, const JoinFlag& flag, const std::string& value) {
  if (flag.text) flags.*flag.text = value;
  if (flag.secret) flags.*flag.secret = Secret(value);
  if (flag.boolean) flags.*flag.boolean = value == "true" || value == "1" || value == "t";
  return flag.list ? append_list(flags.*flag.list, value) : Status{};
}

}  // namespace kubejoin::config
