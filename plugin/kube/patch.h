// Patches on a configuration document, as kubeadm's --patches directory has them (cmd/kubeadm/app/util/patches, 1.37).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "parse/document.h"

namespace kubejoin::kube {

enum class PatchType {
  strategic,  // Kubernetes strategic merge: see merge_strategically
  merge,      // RFC 7386
  json,       // RFC 6902, all six operations
};

// What kubeadm's --patches folder makes of a file's name, "TARGET[SUFFIX][+TYPE].{yaml|json}" (parseFilename).
struct PatchName {
  PatchType type = PatchType::strategic;  // when it has none
  bool for_kubelet = false;               // or for a component of the control plane
  std::string ignored;                    // why nobody reads the file, in kubeadm's words; empty: somebody does
};
// A '+' without a known type is Kind::invalid "kubelet.patch".
Result<PatchName> read_patch_name(std::string_view file_name);

// A file of patches: one YAML or JSON text, several documents allowed.
struct PatchFile {
  PatchType type = PatchType::strategic;
  std::string name;  // as the user knows it, for errors
  std::string text;
};

// Whether the file can be applied to anything: it is YAML, and each document what its type wants. Fails with Kind::invalid
// "kubelet.patch" and the place in the file.
Status check_patches(const PatchFile& file);

// All patches of a file, in order; a failing one leaves nothing half done. The result is bounded like a parsed document
// (parse::Limits). Fails with Kind::invalid "kubelet.patch" and the place in the file.
Result<parse::Value> apply_patches(parse::Value target, const PatchFile& file);

// One patch. Strategic merge knows no merge keys, as KubeletConfiguration declares none (k8s.io/kubelet config/v1beta1
// has no patchStrategy): maps merge, null removes, lists and scalars replace; directives are "$patch: replace",
// "$patch: delete" and "$deleteFromPrimitiveList/NAME".
Result<parse::Value> apply_patch(parse::Value target, PatchType type, const parse::Value& patch);

}  // namespace kubejoin::kube
