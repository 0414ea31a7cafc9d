// What is not for us, by name: documents and scripts of other tools, and what a text looks like that holds nothing of ours.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "parse/layers.h"
#include "parse/utf8.h"

namespace kubejoin::parse {
namespace {

bool contains(std::string_view text, std::string_view word) { return text.find(word) != text.npos; }

bool has_any(const Value& root, std::initializer_list<std::string_view> keys) {
  return std::any_of(keys.begin(), keys.end(), [&](std::string_view key) { return root.find(key) != nullptr; });
}

// A kind or a group that a slip of the pen keeps from being ours.
bool nearly_ours(const std::string& group, const std::string& kind) {
  static const std::vector<std::string> kGroups = {"kubeadm.k8s.io", "kubejoin"};
  static const std::vector<std::string> kKinds = {"JoinConfiguration", "FirstBoot"};
  const auto near = [](const std::string& word, const std::vector<std::string>& words) {
    return std::find(words.begin(), words.end(), word) != words.end() || did_you_mean(word, words).has_value();
  };
  return near(group, kGroups) || near(kind, kKinds);
}

// By apiVersion and kind.
std::string addressee_of(const std::string& api_version, const std::string& kind) {
  const std::string group = api_version.substr(0, std::min(api_version.find('/'), api_version.size()));
  if (group.empty() && kind.empty()) return {};
  const std::string name = kind.empty() ? printable(api_version, 60) : printable(kind, 60);
  if (group == "node.eks.aws") return "nodeadm (Amazon EKS): " + name;
  if (group.ends_with("cluster.x-k8s.io")) return "the controllers of Cluster API: " + name;
  if (group == "v1alpha1" && api_version == group) return "Talos: " + name;
  if (group.ends_with(".cattle.io")) return "Rancher: " + name;
  if (group.ends_with(".config.k8s.io") || nearly_ours(group, kind)) return {};
  if (api_version.empty() || kind.empty()) return {};
  if (api_version == "v1" && kind == "Config") return "Kubernetes clients: a kubeconfig";
  return "a Kubernetes API server: " + name + " (" + printable(api_version, 60) + ")";
}

std::string_view first_line(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  return trim(text.substr(0, text.find('\n')));
}

struct Beginning {
  std::string_view begin;
  const char* what;
  const char* hint;
};

constexpr char kWhat[] = "kubejoin reads kubeadm.k8s.io JoinConfiguration and kubejoin/v1alpha1 FirstBoot: kubejoin schema";

bool is_base64_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=' || c == '\n' || c == '\r';
}

// Nearly all of a long text is base64: its few characters that are none, named.
std::optional<Looks> like_base64(std::string_view text) {
  if (text.size() < 64 || contains(text, ": ") || contains(text, "://")) return {};
  const auto bad = std::count_if(text.begin(), text.end(), [](char c) { return !is_base64_letter(c); });
  if (bad > 3) return {};
  if (bad == 0) return Looks{"base64 that does not decode to text", "it may have been cut off: base64 -w0 FILE"};
  const auto culprit = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_base64_letter) - text.begin());
  const auto before = text.substr(0, culprit);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto column = culprit - (before.find_last_of('\n') + 1) + 1;
  const std::string_view character = text.substr(culprit, std::max<std::size_t>(utf8_length(text.substr(culprit, 4)), 1));
  return Looks{"base64 but for " + quoted(character) + " at " + std::to_string(line) + ":" + std::to_string(column), "make it with: base64 -w0 FILE"};
}

Looks like_yaml(std::string_view text) {
  const auto has_key = [&](std::string_view key) {
    const std::string at_line = "\n" + std::string(key) + ":";
    return text.starts_with(std::string_view(at_line).substr(1)) || contains(text, at_line);
  };
  if (has_key("clusters") && has_key("contexts")) return {"a kubeconfig", "a join document names it: discovery: {file: {kubeConfigPath: …}}"};
  if (has_key("discovery") || has_key("nodeRegistration") || has_key("discoveryTokenAPIServers"))
    return {"a JoinConfiguration without its head", "begin with apiVersion: kubeadm.k8s.io/v1beta4 and kind: JoinConfiguration"};
  if (has_key("write_files") || has_key("runcmd") || has_key("packages"))
    return {"a cloud-config without its first line", "make #cloud-config the first line"};
  return {};
}

}  // namespace

bool claims_to_be_ours(std::string_view text) {
  constexpr std::size_t kNear = 64;
  for (const std::string_view group : {"kubeadm.k8s.io/", "kubejoin/v"}) {
    for (auto at = text.find(group); at != text.npos; at = text.find(group, at + group.size())) {
      std::string_view before = text.substr(at > kNear ? at - kNear : 0, std::min(at, kNear));
      before.remove_prefix(before.find_last_of('\n') + 1);  // npos + 1 is 0
      if (contains(lower(before), "apiversion")) return true;
    }
  }
  return false;
}

std::string addressee(const Value& root) {
  if (root.type != Type::map) return {};
  if (std::string typed = addressee_of(root.string_or("apiVersion", ""), root.string_or("kind", "")); !typed.empty()) return typed;
  if (has_any(root, {"apiVersion", "kind"})) return {};
  if (root.find("machine") && has_any(root, {"cluster", "version"})) return "Talos: a machine configuration";
  if (root.find("variant") && root.find("version")) return "Butane, which makes Ignition of it: variant " + printable(root.string_or("variant", ""), 20);
  if (root.find("ignition")) return {};
  if (has_any(root, {"write-kubeconfig-mode", "cluster-init", "agent-token", "node-label", "tls-san", "etcd-expose-metrics"}) ||
      (root.find("server") && root.find("token")))
    return "k3s or RKE2: its configuration";
  const Value* systemd = root.find("systemd");
  if ((systemd && systemd->find("units")) || (has_any(root, {"passwd", "storage"}) && !root.find("write_files")) || has_any(root, {"coreos", "locksmith"}))
    return "Container Linux: its configuration";
  return {};
}

std::string addressee(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kCalls = {{
      {"/etc/eks/bootstrap.sh", "Amazon EKS: its bootstrap.sh"},
      {"nodeadm init", "nodeadm (Amazon EKS)"},
      {"get.k3s.io", "k3s: its install script"},
      {"k3s agent", "k3s"},
      {"get.rke2.io", "RKE2: its install script"},
      {"kubeadm init", "a control plane: kubeadm init"},
      {"[settings.kubernetes]", "Bottlerocket: its settings"},
  }};
  const auto call = std::find_if(kCalls.begin(), kCalls.end(), [&](const auto& c) { return contains(text, c.first); });
  return call == kCalls.end() ? std::string() : std::string(call->second);
}

Looks looks_like(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (trim(text).empty()) return {"empty", kWhat};
  text.remove_prefix(text.find_first_not_of(" \t\r\n"));
  const std::string first = lower(first_line(text).substr(0, 200));
  static constexpr std::array<Beginning, 15> kBegins = {{
      {"#cloud-boothook", "a boothook, which cloud-init runs", kWhat},
      {"#include", "a list of URLs, which cloud-init includes", kWhat},
      {"#cloud-config-jsonp", "a JSON patch of a cloud-config", "put the document into write_files of a #cloud-config"},
      {"#cloud-config", "a cloud-config without a document of ours", "a document of ours stands in write_files, or below the key kubejoin"},
      {"#part-handler", "a part handler, which cloud-init runs", kWhat},
      {"<powershell>", "a script for Windows", kWhat},
      {"#ps1", "a script for Windows", kWhat},
      {"<script>", "a script for Windows", kWhat},
      {"<!doctype html", "HTML: the page of a proxy, or of a login", "see what answers at the address that it came from"},
      {"<html", "HTML: the page of a proxy, or of a login", "see what answers at the address that it came from"},
      {"<?xml", "XML", kWhat},
      {"-----begin certificate-----", "a certificate", "a join document pins the cluster's CA: discovery.bootstrapToken.caCertHashes"},
      {"ssh-", "an SSH public key", kWhat},
      {"kubeadm join", "a pasted command line", "it is run as root on the machine, with kubejoin in kubeadm's place; as user-data it needs #!/bin/sh as its first line"},
      {"kubejoin join", "a pasted command line", "it is run as root on the machine; as user-data it needs #!/bin/sh as its first line"},
  }};
  if (first.starts_with("#!")) return {contains(first, "sh") ? "a shell script, which cloud-init runs" : "a script, which cloud-init runs", kWhat};
  const auto known = std::find_if(kBegins.begin(), kBegins.end(), [&](const Beginning& mark) { return first.starts_with(mark.begin); });
  if (known != kBegins.end()) return {known->what, known->hint};
  if (first.starts_with("sudo kube")) return {kBegins[13].what, kBegins[13].hint};
  if (first.starts_with("-----begin ") && contains(first, "private key"))
    return {"a private key", "keep it secret; a join needs none"};
  if (is_mime(text)) return {"a MIME message without a document of ours", kWhat};
  if (first.starts_with("--") && contains(lower(text.substr(0, 4096)), "content-type:"))
    return {"a MIME multipart without its head", "begin with MIME-Version: 1.0, then Content-Type: multipart/mixed; boundary=\"" + printable(first_line(text).substr(2), 60) + "\", then an empty line"};
  if (find_unprintable(text.substr(0, 4096)) < 4096 && find_unprintable(text.substr(0, 4096)) != text.npos && !is_gzip(text))
    return {"binary data", kWhat};
  if (text.front() == '{' || text.front() == '[') {
    if (contains(text.substr(0, 4096), "\"ignition\"")) return {"an Ignition config without a document of ours", kWhat};
    const std::string_view kind = text.front() == '[' && !contains(text.substr(0, 200), "\"") ? "TOML or JSON" : "JSON";
    return {std::string(kind) + " of something else", kWhat};
  }
  if (auto base64 = like_base64(trim(text))) return *base64;
  if (Looks yaml = like_yaml(text); !yaml.what.empty()) return yaml;
  return {"", kWhat};
}

}  // namespace kubejoin::parse
