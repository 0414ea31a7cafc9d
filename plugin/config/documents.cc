// Sorts documents by apiVersion and kind, and says what is wrong with the others.
#include "config/documents.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace kubejoin::config {
namespace {

using parse::Document;
using parse::Mark;
using parse::Type;
using parse::Value;
using schema::Version;

// What may lie beside a join document without being read (kubeadm's own kinds, spec §2.1).
constexpr std::pair<std::string_view, std::string_view> kUnusedKinds[] = {
    {"kubeadm.k8s.io", "ClusterConfiguration"},
    {"kubeadm.k8s.io", "InitConfiguration"},
    {"kubeadm.k8s.io", "MasterConfiguration"},
    {"kubeadm.k8s.io", "ClusterStatus"},
    {"kubeadm.k8s.io", "ResetConfiguration"},
    {"kubeadm.k8s.io", "UpgradeConfiguration"},
    {"kubeproxy.config.k8s.io", "KubeProxyConfiguration"},
};
constexpr std::string_view kKubeletGroup = "kubelet.config.k8s.io", kKubeletKind = "KubeletConfiguration";

bool is_first_boot(const Version& version) { return version.kind == "FirstBoot"; }

std::string group_of(const Document& document) {
  const std::string api_version = document.api_version();
  return api_version.substr(0, std::min(api_version.find('/'), api_version.size()));
}

bool is_kind(const Document& document, std::string_view group, std::string_view kind) {
  return group_of(document) == group && document.kind() == kind;
}

Wrong unknown_document(const Document& document) {
  const std::string api_version = document.api_version(), kind = document.kind();
  std::vector<std::string> readable, kinds;
  std::string kind_of_version, versions_of_kind;
  for (const Version& version : schema::versions()) {
    readable.emplace_back(version.api_version);
    kinds.emplace_back(version.kind);
    if (version.api_version == api_version) kind_of_version = version.kind;
    if (version.kind == kind)
      versions_of_kind += (versions_of_kind.empty() ? "" : ", ") + std::string(version.api_version);
  }
  if (!kind_of_version.empty())
    return {"config.kind", "unknown kind " + quoted(kind) + " of " + api_version,
            "the kind of " + api_version + " is " + kind_of_version};
  if (versions_of_kind.empty()) {
    const auto meant = did_you_mean(kind, kinds);
    const std::string suggestion = meant ? " (did you mean \"" + *meant + "\"?)" : "";
    return {"config.kind", "unknown kind " + quoted(kind) + " of apiVersion " + quoted(api_version) + suggestion,
            "kubejoin reads " + join(readable, ", ")};
  }
  return {"config.api-version", "unknown apiVersion " + quoted(api_version) + " of kind " + kind,
          kind + " is read in " + versions_of_kind};
}

// All but the first are too much.
void refuse_more_than_one(std::vector<Checked>& pile) {
  for (std::size_t i = 1; i < pile.size(); ++i) {
    const Checked& first = pile.front();
    const Place place = first.document->place(first.document->root.mark, true);
    const std::string where =
        (place.part.empty() ? place.file : place.file + ", " + place.part) + ", line " + std::to_string(place.line);
    Error error = complaint(
        *pile[i].document, "kind",
        {"config.two-documents", "a second " + std::string(pile[i].version->kind) + "; the first is in " + where,
         "remove one of them"});
    pile[i].verdict.errors.push_back(std::move(error));
  }
}

}  // namespace

Error complaint(const Document& document, std::string_view field, Wrong wrong) {
  const Value* value = document.root.find(field);
  const Mark mark = value ? value->mark : document.root.mark;
  const auto& members = document.root.members;
  const auto on_line =
      std::count_if(members.begin(), members.end(), [&](const auto& m) { return m.mark.line == mark.line; });
  const bool alone = value && value->type == Type::string && on_line == 1;
  Error error = fail(Kind::invalid, wrong.id, std::move(wrong.message), std::move(wrong.hint)).value();
  error.place = document.place(mark, !alone);
  return error;
}

std::string control_plane(const std::vector<Document>& documents, Place& ret_place) {
  const Document* init = nullptr;
  for (const Document& document : documents) {
    if (group_of(document) != "kubeadm.k8s.io") continue;
    const std::string kind = document.kind();
    const auto& members = document.root.members;
    const auto its_own = std::find_if(members.begin(), members.end(), [](const auto& m) {
      return m.key == "controlPlane" && m.value.type != Type::null && (m.value.type != Type::boolean || m.value.boolean);
    });
    if (kind == "JoinConfiguration" && its_own != members.end()) {
      ret_place = document.place(its_own->mark, true);
      return "JoinConfiguration with controlPlane";
    }
    if (kind == "JoinConfiguration" || kind == "NodeConfiguration") return {};
    if (!init && (kind == "InitConfiguration" || kind == "ClusterConfiguration" || kind == "MasterConfiguration")) init = &document;
  }
  if (!init) return {};
  ret_place = init->place(init->root.mark, true);
  return init->kind();
}

namespace {

void drop(Value& map, std::string_view key) {
  std::erase_if(map.members, [&](const Value::Member& m) { return m.key == key; });
}

Value* member(Value& map, std::string_view key) { return const_cast<Value*>(map.find(key)); }

}  // namespace

std::optional<Document> join_of_template(const Document& document) {
  const std::string kind = document.kind();
  const bool is_template = kind == "KubeadmConfigTemplate";
  if (!is_template && kind != "KubeadmConfig") return {};
  const Value* join = document.root.at(is_template ? "/spec/template/spec/joinConfiguration" : "/spec/joinConfiguration");
  if (!join || join->type != Type::map) return {};
  Document inner{document.source, *join};
  Value& root = inner.root;
  Value* node = member(root, "nodeRegistration");
  const Value* args = node ? node->find("kubeletExtraArgs") : nullptr;
  const bool lists = args ? args->type == Type::list : document.api_version().ends_with("/v1beta2");
  // Seconds instead of durations, a kubeconfig in place: the controller turns them into what kubeadm reads.
  drop(root, "timeouts");
  if (node && !lists) drop(*node, "imagePullSerial");
  if (Value* discovery = member(root, "discovery"))
    if (Value* file = member(*discovery, "file")) drop(*file, "kubeConfig");
  drop(root, "apiVersion");
  drop(root, "kind");
  for (const auto& [key, text] : {std::pair("kind", "JoinConfiguration"), std::pair("apiVersion", lists ? "kubeadm.k8s.io/v1beta4" : "kubeadm.k8s.io/v1beta3")}) {
    Value::Member head{key, root.mark, parse::make_string(text)};
    head.value.mark = root.mark;
    root.members.insert(root.members.begin(), std::move(head));
  }
  return inner;
}

Error unused(const Document& document, std::string hint) {
  return complaint(document, "kind",
                   {"config.unused-document", document.kind() + " is not used by a join", std::move(hint)});
}

Piles sort_documents(const std::vector<Document>& documents, const schema::Reading& reading) {
  Piles piles;
  for (const Document& document : documents) {
    const Version* version = schema::find_version(document.api_version(), document.kind());
    const bool kubelet = is_kind(document, kKubeletGroup, kKubeletKind);
    const bool known = std::any_of(std::begin(kUnusedKinds), std::end(kUnusedKinds),
                                   [&](const auto& one) { return is_kind(document, one.first, one.second); });
    if (document.root.type != Type::map) {
      piles.errors.push_back(
          complaint(document, "",
                    {"config.document", "this document is no map of fields", "it begins with apiVersion: and kind:"}));
    } else if (document.api_version().empty() || document.kind().empty()) {
      piles.errors.push_back(
          complaint(document, "kind",
                    {"config.document",
                     "invalid configuration: kind and apiVersion is mandatory information that must be specified",
                     "begin with apiVersion: kubeadm.k8s.io/v1beta4 and kind: JoinConfiguration"}));
    } else if (version) {
      auto& pile = is_first_boot(*version) ? piles.first_boots : piles.joins;
      pile.push_back({&document, version, schema::check(document, *version, reading)});
      auto& verdict = pile.back().verdict;
      auto& unknown = reading.strict ? verdict.errors : verdict.warnings;
      unknown.insert(unknown.end(), verdict.unknown_fields.begin(), verdict.unknown_fields.end());
    } else if (kubelet) {
      piles.kubelet_configurations.push_back(&document);
    } else if (known) {
      piles.warnings.push_back(unused(document, ""));
    } else {
      const Wrong wrong = unknown_document(document);
      const bool ours = group_of(document) == "kubeadm.k8s.io" || group_of(document) == "kubejoin" ||
                        wrong.id == "config.api-version";
      auto& pile = reading.strict || ours ? piles.errors : piles.warnings;
      pile.push_back(complaint(document, wrong.id == "config.kind" ? "kind" : "apiVersion", wrong));
    }
  }
  refuse_more_than_one(piles.joins);
  refuse_more_than_one(piles.first_boots);
  return piles;
}

}  // namespace kubejoin::config
