// Kubernetes release numbers: MAJOR.MINOR.PATCH[-PRE][+BUILD], semver.org 2.0.
#include "kube/version.h"

#include <charconv>

#include "base/text.h"

namespace kubejoin::kube {
namespace {

constexpr std::size_t kLongest = 128;

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take_number(std::string_view& text, int& number) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

std::optional<Version> parse_semver(std::string_view text) {
  if (text.size() > kLongest) return std::nullopt;
  Version version;
  version.text = std::string(text);
  if (!take_number(text, version.major) || !take_prefix(text, ".") || !take_number(text, version.minor) ||
      !take_prefix(text, ".") || !take_number(text, version.patch))
    return std::nullopt;
  if (text.empty()) return version;
  if (text[0] != '-' && text[0] != '+') return std::nullopt;
  constexpr std::string_view kAllowed = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-+";
  return text.find_first_not_of(kAllowed) == text.npos ? std::optional(version) : std::nullopt;
}

}  // namespace

std::optional<Version> parse_version(std::string_view text) {
  take_prefix(text, "ci/");  // kubeadm leaves the mark of a CI build in kubernetesVersion
  take_prefix(text, "v");
  return parse_semver(text);
}

Result<Version> parse_kubelet_version(std::string_view output) {
  std::string_view text = trim(output);
  std::optional<Version> version;
  if (take_prefix(text, "Kubernetes v")) version = parse_semver(text);
  if (!version)
    return fail(Kind::unfit, "kube.kubelet-version",
                "unable to tell the kubelet's version: it printed " + quoted(output, 80),
                "run 'kubelet --version': it should print \"Kubernetes v1.37.2\" or the like");
  return *version;
}

}  // namespace kubejoin::kube
