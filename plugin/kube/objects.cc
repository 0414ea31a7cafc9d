// API objects out of their JSON, and the ClusterConfiguration out of its YAML.
#include "kube/objects.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/text.h"
#include "kube/json.h"
#include "kube/version.h"
#include "parse/document.h"

namespace kubejoin::kube {
namespace {

using rapidjson::Value;

Result<rapidjson::Document> read_object(std::string_view json, std::string_view kind, std::string_view doing) {
  TRY(rapidjson::Document object, read_json(json, doing));
  const std::string found = text_at(object, {"kind"});
  if (found != kind) return bad_object(doing, "the answer's kind is " + quoted(found) + ", not " + quoted(kind));
  return object;
}

std::optional<std::map<std::string, std::string>> string_map(const Value* object) {
  std::map<std::string, std::string> map;
  if (object == nullptr || object->IsNull()) return map;
  if (!object->IsObject()) return std::nullopt;
  for (const auto& member : object->GetObject()) {
    if (!member.value.IsString()) return std::nullopt;
    map.emplace(std::string(member.name.GetString(), member.name.GetStringLength()),
                std::string(member.value.GetString(), member.value.GetStringLength()));
  }
  return map;
}

// The conditions of a status, as an empty list when there are none.
rapidjson::Value::ConstArray conditions(const Value& object) {
  static const Value kNone(rapidjson::kArrayType);
  const Value* found = value_at(object, {"status", "conditions"});
  return (found != nullptr && found->IsArray() ? *found : kNone).GetArray();
}

// What the caller of a watch should do about a Status that ended it (apimachinery api/errors).
Kind kind_of_status(int code) {
  if (code == 401 || code == 403) return Kind::refused;
  if (code == 410 || code == 429 || code >= 500) return Kind::unavailable;
  return Kind::machine;
}

}  // namespace

Result<ConfigMap> parse_config_map(std::string_view json) {
  constexpr std::string_view kDoing = "read a ConfigMap";
  TRY(const rapidjson::Document object, read_object(json, "ConfigMap", kDoing));
  auto data = string_map(value_at(object, {"data"}));
  if (!data) return bad_object(kDoing, "its data holds something other than text");
  return ConfigMap{text_at(object, {"metadata", "uid"}), std::move(*data)};
}

Result<std::string> parse_server_version(std::string_view json) {
  constexpr std::string_view kDoing = "read the API server's version";
  TRY(const rapidjson::Document object, read_json(json, kDoing));
  std::string version = text_at(object, {"gitVersion"});
  if (!parse_version(version)) return bad_object(kDoing, "it is " + quoted(version));
  return version;
}

Result<Node> parse_node(std::string_view json) {
  constexpr std::string_view kDoing = "read a Node";
  TRY(const rapidjson::Document object, read_object(json, "Node", kDoing));
  Node node;
  node.name = text_at(object, {"metadata", "name"});
  node.uid = text_at(object, {"metadata", "uid"});
  auto labels = string_map(value_at(object, {"metadata", "labels"}));
  auto annotations = string_map(value_at(object, {"metadata", "annotations"}));
  if (node.name.empty()) return bad_object(kDoing, "it has no name");
  if (!labels || !annotations) return bad_object(kDoing, "a label or an annotation is no text");
  node.labels = std::move(*labels);
  node.annotations = std::move(*annotations);
  for (const Value& condition : conditions(object))
    if (text_at(condition, {"type"}) == "Ready") node.ready = text_at(condition, {"status"}) == "True";
  return node;
}

Result<Csr> parse_csr(std::string_view json) {
  constexpr std::string_view kDoing = "read a CertificateSigningRequest";
  TRY(const rapidjson::Document object, read_object(json, "CertificateSigningRequest", kDoing));
  Csr csr;
  csr.name = text_at(object, {"metadata", "name"});
  csr.uid = text_at(object, {"metadata", "uid"});
  csr.resource_version = text_at(object, {"metadata", "resourceVersion"});
  csr.signer_name = text_at(object, {"spec", "signerName"});
  csr.username = text_at(object, {"spec", "username"});
  if (csr.name.empty() || csr.uid.empty()) return bad_object(kDoing, "it has no name or no uid");
  auto request = base64_decode(text_at(object, {"spec", "request"}));
  auto certificate = base64_decode(text_at(object, {"status", "certificate"}));
  if (!request || !certificate) return bad_object(kDoing, "its request or its certificate is not base64");
  csr.request = std::move(*request);

  constexpr std::pair<std::string_view, Csr::State> kDeciding[] = {
      {"Denied", Csr::State::denied}, {"Failed", Csr::State::failed}, {"Approved", Csr::State::approved}};
  for (const auto& [type, state] : kDeciding) {
    const auto all = conditions(object);
    const auto found = std::find_if(
        all.begin(), all.end(), [type = type](const Value& condition) { return text_at(condition, {"type"}) == type; });
    if (found == all.end()) continue;
    csr.state = state;
    csr.reason = text_at(*found, {"reason"});
    csr.message = text_at(*found, {"message"});
    break;
  }
  if (csr.state == Csr::State::approved && !certificate->empty()) {
    csr.state = Csr::State::issued;
    csr.certificate = std::move(*certificate);
  }
  return csr;
}

Result<WatchEvent> parse_watch_event(std::string_view line) {
  constexpr std::string_view kDoing = "follow a watch";
  TRY(const rapidjson::Document event, read_json(line, kDoing));
  const std::string type = text_at(event, {"type"});
  const Value* object = value_at(event, {"object"});
  if (object == nullptr || !object->IsObject()) return bad_object(kDoing, "an event has no object");
  if (type == "ERROR") {
    const Value* code_value = value_at(*object, {"code"});
    const int code = code_value != nullptr && code_value->IsInt() ? code_value->GetInt() : 500;
    return fail(kind_of_status(code), code == 410 ? "kube.watch-expired" : "kube.watch",
                "unable to follow a watch: the API server ended it with " + std::to_string(code) + ": " +
                    printable(text_at(*object, {"message"})));
  }
  constexpr std::string_view kTypes[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK"};
  if (std::find(std::begin(kTypes), std::end(kTypes), type) == std::end(kTypes))
    return bad_object(kDoing, "an event has the unknown type " + quoted(type));
  return WatchEvent{type, write_json(*object)};
}

int ClusterConfiguration::minor() const {
  const auto version = parse_version(kubernetes_version);
  return version ? version->minor : 0;
}

Result<ClusterConfiguration> parse_cluster_configuration(std::string_view yaml) {
  const auto refused = [](const std::string& why) {
    return fail(Kind::invalid, "kube.cluster-configuration", "unable to read the cluster's configuration: " + why,
                "look at it with 'kubectl -n kube-system get configmap kubeadm-config -o yaml'");
  };
  const auto source = std::make_shared<parse::Source>();
  source->file = "ConfigMap kube-system/kubeadm-config";
  source->text = yaml;
  const parse::Yaml read = parse::read_yaml(source);
  if (!read.errors.empty()) return refused(read.errors[0].message);
  if (read.documents.size() != 1 || read.documents[0].root.type != parse::Type::map)
    return refused("it is not one map");
  const parse::Value& root = read.documents[0].root;

  ClusterConfiguration cluster;
  const std::pair<std::string_view, std::string*> kTexts[] = {
      {"/clusterName", &cluster.cluster_name},         {"/kubernetesVersion", &cluster.kubernetes_version},
      {"/imageRepository", &cluster.image_repository}, {"/networking/serviceSubnet", &cluster.service_subnet},
      {"/networking/dnsDomain", &cluster.dns_domain},  {"/certificatesDir", &cluster.certificates_dir}};
  for (const auto& [pointer, into] : kTexts) {
    const parse::Value* value = root.at(pointer);
    if (value == nullptr || value->type == parse::Type::null) continue;
    if (value->type != parse::Type::string) return refused(std::string(pointer) + " is not a string");
    if (!value->text.empty()) *into = value->text;  // "" means the default, as for Go
  }
  if (const parse::Value* gates = root.find("featureGates"); gates != nullptr) {
    for (const parse::Value::Member& gate : gates->members) {
      if (gate.value.type != parse::Type::boolean)
        return refused("feature gate " + quoted(gate.key) + " is neither true nor false");
      cluster.feature_gates[gate.key] = gate.value.boolean;
    }
  }
  return cluster;
}

}  // namespace kubejoin::kube
