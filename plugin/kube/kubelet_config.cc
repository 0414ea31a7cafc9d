// The kubelet's configuration and arguments, release by release.
#include "kube/kubelet_config.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <tuple>

#include "base/text.h"
#include "kube/go.h"
#include "kube/kubelet_flags.h"

namespace kubejoin::kube {
namespace {

using parse::Type, parse::Value;

constexpr int kNewest = 1'000;

int or_newest(int minor, int second = 0) { return minor != 0 ? minor : second != 0 ? second : kNewest; }

// ---- arguments ----

bool is_dockershim(std::string_view socket) {
  return socket == "/var/run/dockershim.sock" || socket == "unix:///var/run/dockershim.sock";
}

// constants.PauseVersion of the kubeadm of that release; each row holds from its release on.
std::string_view pause_version(int minor) {
  constexpr std::pair<int, std::string_view> kVersions[] = {{34, "3.10.1"}, {31, "3.10"}, {26, "3.9"}, {25, "3.8"},
                                                            {24, "3.7"},    {23, "3.6"},  {22, "3.5"}, {21, "3.4.1"},
                                                            {18, "3.2"},    {0, "3.1"}};
  return std::find_if(std::begin(kVersions), std::end(kVersions), [&](const auto& row) { return minor >= row.first; })
      ->second;
}

std::vector<KubeletFlag> own_flags(const KubeletSituation& situation) {
  const int kubelet = or_newest(situation.kubelet_minor, situation.cluster_minor);
  const bool dockershim = kubelet <= 23 && is_dockershim(situation.cri_socket);
  const std::string hostname = lower(trim(situation.hostname));
  std::vector<KubeletFlag> flags;
  if (dockershim) {
    flags.push_back({"network-plugin", "cni"});
  } else {
    if (kubelet <= 25)
      flags.push_back({"container-runtime", "remote"});  // the only value from 1.24, an unknown flag from 1.27
    if (!situation.cri_socket_is_node_local) flags.push_back({"container-runtime-endpoint", situation.cri_socket});
  }
  if (situation.node_name != hostname) flags.push_back({"hostname-override", situation.node_name});
  // A hint for image garbage collection; the kubelet of 1.35 dies of it (kubernetes/kubernetes#133778).
  if ((dockershim || kubelet >= 21) && kubelet <= 34 && !situation.image_repository.empty())
    flags.push_back(
        {"pod-infra-container-image", situation.image_repository + "/pause:" + std::string(pause_version(kubelet))});
  if (!situation.taints.empty()) flags.push_back({"register-with-taints", join(situation.taints, ",")});
  return flags;
}

bool by_name_and_value(const KubeletFlag& a, const KubeletFlag& b) {
  return std::tie(a.name, a.value) < std::tie(b.name, b.value);
}

// ---- configuration ----

tl::unexpected<Error> bad_config(std::string why) {
  return fail(Kind::invalid, "kubelet.config", "unable to use the cluster's kubelet configuration: " + std::move(why),
              "look at it with 'kubectl -n kube-system get configmap kubelet-config -o yaml'");
}

// To Go, an absent field, null and "" are one where the field is a string; for the others "" does not come up.
bool is_unset(const Value* value) {
  return value == nullptr || value->type == Type::null || (value->type == Type::string && value->text.empty());
}

// Sets the field at `path` ("authentication.x509.clientCAFile"), making the maps that lead to it.
Status set_field(Value& root, std::string_view path, Value value) {
  const std::vector<std::string> keys = split(path, '.');
  Value* at = &root;
  for (std::size_t i = 0; i + 1 < keys.size(); ++i) {
    const Value* found = at->find(keys[i]);
    at = is_unset(found) ? &parse::set(*at, keys[i], parse::make_map()) : const_cast<Value*>(found);
    if (at->type != Type::map) return bad_config(quoted(keys[i]) + " is not a map");
  }
  parse::set(*at, keys.back(), std::move(value));
  return {};
}

Value list_of(std::string text) {
  Value list = parse::make_list();
  list.items.push_back(parse::make_string(std::move(text)));
  return list;
}

Status add_defaults(Value& root, const KubeletDefaults& defaults) {
  const auto text = [](std::string value) { return parse::make_string(std::move(value)); };
  const auto given = [](const std::string& value, std::string_view otherwise) {
    return value.empty() ? std::string(otherwise) : value;
  };
  struct Row {
    std::string_view path;
    Value value;
    bool applies = true;
  };
  const Row kRows[] = {
      {"staticPodPath", text("/etc/kubernetes/manifests")},
      {"clusterDNS", list_of(cluster_dns_address(defaults.service_subnet))},
      {"clusterDomain", text(given(defaults.dns_domain, "cluster.local"))},
      {"authentication.x509.clientCAFile", text(given(defaults.certificates_dir, "/etc/kubernetes/pki") + "/ca.crt")},
      {"authentication.anonymous.enabled", parse::make_bool(false)},
      {"authentication.webhook.enabled", parse::make_bool(true)},
      {"authorization.mode", text("Webhook")},
      {"healthzBindAddress", text("127.0.0.1")},
      {"healthzPort", parse::make_integer(10248)},
      {"cgroupDriver", text("systemd"), or_newest(defaults.cluster_minor) >= 22},
      {"resolvConf", text("/run/systemd/resolve/resolv.conf"), defaults.systemd_resolved},
  };
  for (const Row& row : kRows)
    if (row.applies && is_unset(root.at("/" + replace_all(std::string(row.path), ".", "/"))))
      CHECK_OK(set_field(root, row.path, row.value));
  return set_field(root, "rotateCertificates", parse::make_bool(true));  // not a default: kubeadm forces it
}

Result<Value> read_config(const std::string& yaml) {
  const auto source = std::make_shared<parse::Source>();
  source->file = "the ConfigMap's KubeletConfiguration";
  source->text = yaml;
  parse::Yaml read = parse::read_yaml(source);
  if (!read.errors.empty()) {
    auto error = bad_config(read.errors[0].message);
    error.value().place = read.errors[0].place;
    return error;
  }
  if (read.documents.size() != 1 || read.documents[0].kind() != "KubeletConfiguration")
    return bad_config("it is not one document of kind KubeletConfiguration");
  return std::move(read.documents[0].root);
}

}  // namespace

std::vector<std::string> kubelet_config_map_names(int cluster_minor) {
  const std::string plain = "kubelet-config", versioned = plain + "-1." + std::to_string(cluster_minor);
  if (cluster_minor == 0) return {plain};
  if (cluster_minor <= 10) return {"kubelet-base-config-1.9"};  // the constant of both 1.9 and 1.10
  if (cluster_minor < 24) return {versioned, plain};
  return {plain, versioned};
}

bool node_local_cri_socket(int kubelet_minor, int cluster_minor,
                           const std::map<std::string, bool>& cluster_feature_gates) {
  const int kubeadm = or_newest(cluster_minor, kubelet_minor);  // a kubeadm of the cluster's release does the joining
  if (kubeadm < 32 || or_newest(kubelet_minor, cluster_minor) < 27) return false;
  const auto gate = cluster_feature_gates.find("NodeLocalCRISocket");
  const bool locked = kubeadm >= 36;  // generally available: the gate has no say any more
  return gate != cluster_feature_gates.end() && !locked ? gate->second : kubeadm >= 34;
}

std::string instance_config(const std::string& cri_socket) {
  return "containerRuntimeEndpoint: " + go_quoted(cri_socket) + "\n";
}

std::vector<KubeletFlag> kubelet_flags(const KubeletSituation& situation, std::span<const KubeletFlag> user) {
  std::vector<KubeletFlag> merged;
  for (KubeletFlag& flag : own_flags(situation)) {
    const auto last =
        std::find_if(user.rbegin(), user.rend(), [&](const KubeletFlag& given) { return given.name == flag.name; });
    if (last != user.rend() && last->merge == KubeletFlag::Merge::replace) continue;
    if (last != user.rend())
      flag.value = last->merge == KubeletFlag::Merge::append ? flag.value + last->value : last->value + flag.value;
    merged.push_back(std::move(flag));
  }
  std::sort(merged.begin(), merged.end(), by_name_and_value);
  std::copy_if(user.begin(), user.end(), std::back_inserter(merged),
               [](const KubeletFlag& flag) { return flag.merge == KubeletFlag::Merge::replace; });
  if (or_newest(situation.cluster_minor, situation.kubelet_minor) <= 31)
    std::sort(merged.begin(), merged.end(), by_name_and_value);
  return merged;
}

std::string kubeadm_flags_env(std::span<const KubeletFlag> flags) {
  std::vector<std::string> words;
  for (const KubeletFlag& flag : flags) words.push_back("--" + flag.name + "=" + flag.value);
  return environment_line("KUBELET_KUBEADM_ARGS", words);
}

Result<std::string> complete_kubelet_config(const std::string& config_map_yaml, const KubeletDefaults& defaults,
                                            std::span<const PatchFile> patches) {
  TRY(Value config, read_config(config_map_yaml));
  as_go_reads(config);
  const std::string before = parse::to_json(config);
  CHECK_OK(add_defaults(config, defaults));
  for (const PatchFile& patch : patches) {
    TRY(config, apply_patches(std::move(config), patch));
  }
  if (config.type != Type::map) return bad_config("the patches left no map");
  if (!defaults.node_local_cri_socket.empty())
    parse::set(config, "containerRuntimeEndpoint", parse::make_string(defaults.node_local_cri_socket));
  if (parse::to_json(config) == before) return config_map_yaml;
  sort_keys(config);
  return parse::to_yaml(config);
}

std::string cluster_dns_address(std::string_view service_subnets) {
  constexpr unsigned kIndex = 10;
  constexpr char kFallback[] = "10.96.0.10";
  const std::string subnet(trim(service_subnets.substr(0, service_subnets.find(','))));
  const std::size_t slash = subnet.find('/');
  if (slash == subnet.npos) return kFallback;
  const std::string network = subnet.substr(0, slash);
  std::array<unsigned char, 16> address{};
  const int family = is_ipv4(network) ? AF_INET : AF_INET6;
  const unsigned bits = family == AF_INET ? 32 : 128;
  unsigned prefix = 0;
  const auto [end, error] = std::from_chars(subnet.data() + slash + 1, subnet.data() + subnet.size(), prefix);
  if (inet_pton(family, network.c_str(), address.data()) != 1 || error != std::errc() ||
      end != subnet.data() + subnet.size())
    return kFallback;
  if (prefix > bits || bits - prefix < 4) return kFallback;  // fewer than 16 addresses: 8 or less, so no tenth
  for (unsigned bit = prefix; bit < bits; ++bit)
    address[bit / 8] = static_cast<unsigned char>(address[bit / 8] & ~(0x80u >> bit % 8));
  address[bits / 8 - 1] =
      static_cast<unsigned char>(address[bits / 8 - 1] | kIndex);  // the low four bits are free, so it is an addition
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(family, address.data(), text, sizeof text) != nullptr ? text : kFallback;
}

KubeletChoices kubelet_choices(const std::string& config_yaml) {
  KubeletChoices choices;
  const auto config = read_config(config_yaml);
  if (!config || config->type != Type::map) return choices;
  const auto as_bool = [](const Value* given) { return is_unset(given) ? std::nullopt : std::optional(given->text == "true"); };
  choices.fail_cgroup_v1 = as_bool(config->find("failCgroupV1"));
  if (const Value* given = config->find("cgroupDriver"); !is_unset(given)) choices.cgroup_driver = given->text;
  if (const Value* gates = config->find("featureGates"); gates != nullptr && gates->type == Type::map)
    choices.cgroup_driver_from_cri = as_bool(gates->find("KubeletCgroupDriverFromCRI"));
  return choices;
}

std::optional<std::string> kubelet_health_url(const std::string& config_yaml) {
  std::string address = "127.0.0.1", port = "10248";
  if (const auto config = read_config(config_yaml)) {
    if (const Value* given = config->find("healthzBindAddress"); !is_unset(given)) address = given->text;
    if (const Value* given = config->find("healthzPort"); !is_unset(given)) port = given->text;
  }
  if (port == "0") return std::nullopt;
  if (is_ipv6(address)) address = "[" + address + "]";
  return "http://" + address + ":" + port + "/healthz";
}

}  // namespace kubejoin::kube
