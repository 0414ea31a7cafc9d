// The versions of every document that kubejoin reads, and the one step from each to the next.
#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "schema/schema.h"
#include "schema/texts.h"

namespace kubejoin::schema {

// From the generated gen/schemas.cc: (file stem, text).
extern const std::pair<std::string_view, std::string_view> kSchemaTexts[];
extern const unsigned kSchemaCount;

namespace {

using parse::Type;
using parse::Value;

// ---- moving fields ----------------------------------------------------------------------------------------

// A field that the version after `version` has under another path. upgrade() reads the table forwards, spelling()
// backwards.
struct Move {
  std::string_view version;
  std::string_view from;
  std::string_view to;
};

constexpr Move kMoves[] = {
    {"v1alpha1", "nodeName", "nodeRegistration.name"},
    {"v1alpha1", "criSocket", "nodeRegistration.criSocket"},

    {"v1alpha2", "advertiseAddress", "apiEndpoint.advertiseAddress"},
    {"v1alpha2", "bindPort", "apiEndpoint.bindPort"},

    {"v1alpha3", "discoveryToken", "discovery.bootstrapToken.token"},
    {"v1alpha3", "discoveryTokenAPIServers", "discovery.bootstrapToken.apiServerEndpoint"},
    {"v1alpha3", "discoveryTokenCACertHashes", "discovery.bootstrapToken.caCertHashes"},
    {"v1alpha3", "discoveryTokenUnsafeSkipCAVerification", "discovery.bootstrapToken.unsafeSkipCAVerification"},
    {"v1alpha3", "discoveryFile", "discovery.file.kubeConfigPath"},
    {"v1alpha3", "tlsBootstrapToken", "discovery.tlsBootstrapToken"},
    {"v1alpha3", "discoveryTimeout", "discovery.timeout"},

    {"v1beta3", "discovery.timeout", "timeouts.discovery"},
};

Value* find(Value& map, std::string_view key) { return const_cast<Value*>(map.find(key)); }

// Takes the field at a dotted path out of the tree; Type::null when there is none. Containers stay.
Value take(Value& root, std::string_view path) {
  Value* map = &root;
  for (auto dot = path.find('.'); dot != path.npos; dot = path.find('.')) {
    map = find(*map, path.substr(0, dot));
    if (!map) return {};
    path.remove_prefix(dot + 1);
  }
  const auto member =
      std::find_if(map->members.begin(), map->members.end(), [&](const Value::Member& m) { return m.key == path; });
  if (member == map->members.end()) return {};
  Value taken = std::move(member->value);
  map->members.erase(member);
  return taken;
}

// Maps that are made on the way stand where the document begins: what they lack is reported there.
void put(Value& root, std::string_view path, Value value) {
  Value* map = &root;
  for (auto dot = path.find('.'); dot != path.npos; dot = path.find('.')) {
    const std::string_view key = path.substr(0, dot);
    Value* next = find(*map, key);
    if (!next || next->type != Type::map) {
      next = &parse::set(*map, key, parse::make_map());
      next->mark = root.mark;
    }
    map = next;
    path.remove_prefix(dot + 1);
  }
  parse::set(*map, path, std::move(value));
}

// Go's decoder makes no difference between an empty field and an absent one.
bool is_given(const Value* value) {
  return value && value->type != Type::null && !(value->text.empty() && value->items.empty() && value->members.empty());
}

void move_fields(Value& root, std::string_view version) {
  for (const Move& move : kMoves) {
    if (move.version != version) continue;
    if (Value value = take(root, move.from); is_given(&value)) put(root, move.to, std::move(value));
  }
}

// ---- the steps --------------------------------------------------------------------------------------------

Value to_v1alpha2(Value root) {
  move_fields(root, "v1alpha1");
  return root;
}

Value to_v1alpha3(Value root) {
  move_fields(root, "v1alpha2");
  return root;
}

// The flat fields of discovery become a tree (kubeadm 1.13, apis/kubeadm/v1alpha3/conversion.go).
Value to_v1beta1(Value root) {
  // Defaults that v1alpha1 to v1alpha3 took from `token` (SetDefaults_NodeConfiguration).
  const Value token = take(root, "token");
  const auto fill = [&](std::string_view field) {
    if (is_given(&token) && !is_given(root.find(field))) parse::set(root, field, token);
  };
  fill("tlsBootstrapToken");
  if (!is_given(root.find("discoveryFile"))) fill("discoveryToken");

  // Beside a file, the addresses of API servers and "unsafe" meant nothing; pins were an error, and stay one.
  if (is_given(root.find("discoveryFile")) && !is_given(root.find("discoveryToken")) &&
      !is_given(root.find("discoveryTokenCACertHashes"))) {
    take(root, "discoveryTokenAPIServers");
    take(root, "discoveryTokenUnsafeSkipCAVerification");
  }
  if (Value* servers = find(root, "discoveryTokenAPIServers"); servers && servers->items.size() == 1) {
    Value only = std::move(servers->items.front());
    *servers = std::move(only);
  }
  if (const Value* unsafe = root.find("discoveryTokenUnsafeSkipCAVerification"); unsafe && !truth(*unsafe))
    take(root, "discoveryTokenUnsafeSkipCAVerification");
  parse::set(root, "discovery", parse::make_map()).mark = root.mark;
  move_fields(root, "v1alpha3");

  Value control_plane = take(root, "controlPlane");
  Value endpoint = take(root, "apiEndpoint");
  if (truth(control_plane)) {
    Value& map = parse::set(root, "controlPlane", parse::make_map());
    map.mark = control_plane.mark;
    parse::set(map, "localAPIEndpoint", std::move(endpoint));
  }
  return root;
}

Value unchanged(Value root) { return root; }

// kubeletExtraArgs becomes a list, sorted by name (kubeadm 1.31, apis/kubeadm/v1beta3/conversion.go).
Value to_v1beta4(Value root) {
  move_fields(root, "v1beta3");
  Value* registration = find(root, "nodeRegistration");
  Value* args = registration ? find(*registration, "kubeletExtraArgs") : nullptr;
  if (!args || args->type != Type::map) return root;
  std::stable_sort(args->members.begin(), args->members.end(),
                   [](const auto& a, const auto& b) { return a.key < b.key; });
  Value list = parse::make_list();
  list.mark = args->mark;
  list.items.reserve(args->members.size());
  for (Value::Member& member : args->members) {
    Value& item = list.items.emplace_back(parse::make_map());
    item.mark = member.mark;
    item.members.reserve(2);
    parse::set(item, "name", parse::make_string(std::move(member.key))).mark = member.mark;
    parse::set(item, "value", std::move(member.value));
  }
  *args = std::move(list);
  return root;
}

// The notes: kubeadm app/util/config/common.go of 1.24 (v1alpha1 to v1alpha3) and of 1.37 (v1beta3, v1), and the pull
// requests that removed v1beta1 (kubernetes#101129) and v1beta2 (kubernetes#114540).
constexpr Version kVersions[] = {
    {"kubeadm.k8s.io/v1alpha1", "NodeConfiguration", "v1alpha1", "last read by kubeadm 1.11", to_v1alpha2},
    {"kubeadm.k8s.io/v1alpha2", "NodeConfiguration", "v1alpha2", "last read by kubeadm 1.12", to_v1alpha3},
    {"kubeadm.k8s.io/v1alpha3", "JoinConfiguration", "v1alpha3", "last read by kubeadm 1.14", to_v1beta1},
    {"kubeadm.k8s.io/v1beta1", "JoinConfiguration", "v1beta1", "last read by kubeadm 1.21", unchanged},
    {"kubeadm.k8s.io/v1beta2", "JoinConfiguration", "v1beta2", "last read by kubeadm 1.26", unchanged},
    {"kubeadm.k8s.io/v1beta3", "JoinConfiguration", "v1beta3", "last read by kubeadm 1.36", to_v1beta4},
    {"kubeadm.k8s.io/v1beta4", "JoinConfiguration", "v1beta4", "", unchanged},
    {"kubeadm.k8s.io/v1", "JoinConfiguration", "v1", "experimental in kubeadm 1.37", nullptr},
    {"kubejoin/v1alpha1", "FirstBoot", "firstboot-v1alpha1", "", nullptr},
};

}  // namespace

std::span<const Version> versions() { return kVersions; }

const Version* find_version(std::string_view api_version, std::string_view kind) {
  const auto* found = std::find_if(std::begin(kVersions), std::end(kVersions),
                                   [&](const Version& v) { return v.api_version == api_version && v.kind == kind; });
  return found == std::end(kVersions) ? nullptr : found;
}

std::span<const std::pair<std::string_view, std::string_view>> schema_texts() { return {kSchemaTexts, kSchemaCount}; }

std::string_view schema_text(const Version& version) {
  const std::span texts = schema_texts();
  const auto found =
      std::find_if(texts.begin(), texts.end(), [&](const auto& text) { return text.first == version.name; });
  return found == texts.end() ? std::string_view() : found->second;
}

bool truth(const Value& value) {
  if (value.type == Type::boolean) return value.boolean;
  const std::string word = value.plain ? lower(value.text) : "";
  return word == "yes" || word == "on" || word == "y";
}

parse::Document upgrade(const parse::Document& document, const Version& from) {
  parse::Document newest = document;
  for (const Version* version = &from; version->upgrade; ++version)
    newest.root = version->upgrade(std::move(newest.root));
  return newest;
}

std::string spelling(const Version& version, std::string_view path) {
  std::string name(path);
  const Version* newest = &version;
  while (newest->upgrade) ++newest;
  for (const Version* step = newest; step != &version; --step) {
    for (const Move& move : kMoves) {
      if (move.version != step[-1].name) continue;
      const bool inside = name.size() > move.to.size() && (name[move.to.size()] == '.' || name[move.to.size()] == '[');
      if (name != move.to && !(inside && name.starts_with(move.to))) continue;
      name.replace(0, move.to.size(), move.from);
      break;
    }
  }
  return name;
}

}  // namespace kubejoin::schema
