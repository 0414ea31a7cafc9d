// Paths and bodies of API requests.
#include "kube/requests.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "base/text.h"

namespace kubejoin::kube {
namespace {

using Json = rapidjson::Writer<rapidjson::StringBuffer>;

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kUnreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kUnreserved.find(c) != kUnreserved.npos)
      encoded += c;
    else
      (encoded += '%') += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return encoded;
}

std::string watch_query(std::string_view name, std::string_view resource_version, int seconds) {
  return "?watch=true&allowWatchBookmarks=true&fieldSelector=" + percent_encoded("metadata.name=" + std::string(name)) +
         (resource_version.empty() ? "" : "&resourceVersion=" + percent_encoded(resource_version)) +
         "&timeoutSeconds=" + std::to_string(seconds);
}

void key(Json& json, std::string_view name) { json.Key(name.data(), static_cast<rapidjson::SizeType>(name.size())); }
void member(Json& json, std::string_view name, std::string_view value) {
  key(json, name);
  json.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}
void member(Json& json, std::string_view name, const std::map<std::string, std::string>& values) {
  if (values.empty()) return;
  key(json, name);
  json.StartObject();
  for (const auto& [label, value] : values) member(json, label, value);
  json.EndObject();
}

}  // namespace

std::string version_path() { return "/version"; }

std::string cluster_info_path() { return config_map_path("cluster-info", "kube-public"); }

std::string config_map_path(std::string_view name, std::string_view name_space) {
  return "/api/v1/namespaces/" + percent_encoded(name_space) + "/configmaps/" + percent_encoded(name);
}

std::string node_path(std::string_view name) { return "/api/v1/nodes/" + percent_encoded(name); }

std::string csr_collection_path(std::string_view api_version) {
  return "/apis/" + std::string(api_version) + "/certificatesigningrequests";
}

std::string csr_path(std::string_view api_version, std::string_view name) {
  return csr_collection_path(api_version) + "/" + percent_encoded(name);
}

std::string csr_watch_path(std::string_view api_version, std::string_view name, std::string_view resource_version,
                           int seconds) {
  return csr_collection_path(api_version) + watch_query(name, resource_version, seconds);
}

std::string node_watch_path(std::string_view name, std::string_view resource_version, int seconds) {
  return "/api/v1/nodes" + watch_query(name, resource_version, seconds);
}

std::string node_patch(const std::map<std::string, std::string>& labels,
                       const std::map<std::string, std::string>& annotations) {
  rapidjson::StringBuffer out;
  Json json(out);
  json.StartObject();
  key(json, "metadata");
  json.StartObject();
  member(json, "annotations", annotations);
  member(json, "labels", labels);
  json.EndObject();
  json.EndObject();
  return {out.GetString(), out.GetSize()};
}

std::string node_events_path() { return "/api/v1/namespaces/default/events"; }

std::string node_event(std::string_view node_name, std::string_view node_uid, std::string_view reason,
                       std::string_view message, WallTime now) {
  const std::string time = rfc3339(now);
  rapidjson::StringBuffer out;
  Json json(out);
  json.StartObject();
  member(json, "apiVersion", "v1");
  member(json, "kind", "Event");
  key(json, "metadata");
  json.StartObject();
  member(json, "generateName", std::string(node_name) + ".");
  member(json, "namespace", "default");
  json.EndObject();
  key(json, "involvedObject");
  json.StartObject();
  member(json, "apiVersion", "v1");
  member(json, "kind", "Node");
  member(json, "name", node_name);
  member(json, "uid", node_uid);
  json.EndObject();
  member(json, "reason", reason);
  member(json, "message", message);
  member(json, "type", "Normal");
  key(json, "source");
  json.StartObject();
  member(json, "component", "kubejoin");
  member(json, "host", node_name);
  json.EndObject();
  member(json, "firstTimestamp", time);
  member(json, "lastTimestamp", time);
  key(json, "count");
  json.Int(1);
  json.EndObject();
  return {out.GetString(), out.GetSize()};
}

}  // namespace kubejoin::kube
