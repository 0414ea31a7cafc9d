// Documents: which of the user's documents count for a join, each checked against its schema.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/rules.h"
#include "parse/document.h"
#include "schema/schema.h"

namespace kubejoin::config {

struct Checked {
  const parse::Document* document = nullptr;
  const schema::Version* version = nullptr;
  schema::Verdict verdict;  // unknown fields are among its errors or its warnings, as `strict` has it
};

// The user's documents by what they are for. Pointers are into the documents that were given.
struct Piles {
  std::vector<Checked> joins;
  std::vector<Checked> first_boots;
  std::vector<const parse::Document*> kubelet_configurations;
  std::vector<Error> errors;    // of documents that nothing here can read
  std::vector<Error> warnings;  // of documents that are not used
};
Piles sort_documents(const std::vector<parse::Document>& documents, const schema::Reading& reading);

// "InitConfiguration" when the documents are a control plane's: kubeadm init's without a JoinConfiguration of a worker, or a
// JoinConfiguration with `controlPlane`. Empty otherwise; `ret_place` is where it stands.
std::string control_plane(const std::vector<parse::Document>& documents, Place& ret_place);

// The JoinConfiguration inside a KubeadmConfig or KubeadmConfigTemplate of Cluster API, with the user's own places; nothing when
// there is none. What only Cluster API knows is left out.
std::optional<parse::Document> join_of_template(const parse::Document& document);

// An error about a top-level field (or all) of a document that may have no schema. Its line is shown only when that
// field is a text that stands alone on it: nobody knows where the secrets of such a document are.
Error complaint(const parse::Document& document, std::string_view field, Wrong wrong);

// "KubeletConfiguration is not used by a join".
Error unused(const parse::Document& document, std::string hint);

}  // namespace kubejoin::config
