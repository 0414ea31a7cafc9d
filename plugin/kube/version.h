// Kubernetes release numbers, out of the texts that carry them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kubejoin::kube {

struct Version {
  int major = 0, minor = 0, patch = 0;
  std::string text;  // without the "v": "1.37.2", "1.8.0-alpha.2.1231+afabd012389d53a"
};

// "v1.37.2", "1.37.2", "ci/v1.38.0-alpha.1"; nothing else.
std::optional<Version> parse_version(std::string_view text);

// What `kubelet --version` prints: "Kubernetes v1.37.2". Anything else is Kind::unfit "kube.kubelet-version".
Result<Version> parse_kubelet_version(std::string_view output);

}  // namespace kubejoin::kube
