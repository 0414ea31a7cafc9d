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
