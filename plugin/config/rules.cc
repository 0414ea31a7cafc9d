// The rules of single values: tokens, pins, and what FirstBoot's node section means to the kubelet.
#include <algorithm>

#include "base/text.h"
#include "config/load.h"

namespace kubejoin::config {

bool is_token(std::string_view text) {
  constexpr std::size_t kId = 6, kSecret = 16;
  if (text.size() != kId + 1 + kSecret || text[kId] != '.') return false;
  const auto ok = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return std::all_of(text.begin(), text.begin() + kId, ok) && std::all_of(text.begin() + kId + 1, text.end(), ok);
}

Result<std::string> normalise_pin(std::string_view text) {
  const std::string pin = lower(text);
  const auto colon = pin.find(':');
  const char* hint = "on the control plane: openssl x509 -pubkey -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der | sha256sum";
  if (colon == std::string::npos || pin.find(':', colon + 1) != std::string::npos)
    return fail(Kind::invalid, "config.pin", "invalid CA certificate hash " + quoted(text) + ", expected \"sha256:<hex>\"", hint);
  if (pin.substr(0, colon) != "sha256")
    return fail(Kind::invalid, "config.pin", "unknown hash format " + quoted(pin.substr(0, colon)) + " in " + quoted(text) + ": known is sha256", hint);
  const auto bytes = hex_decode(pin.substr(colon + 1));
  if (!bytes || bytes->size() != 32)
    return fail(Kind::invalid, "config.pin", "invalid CA certificate hash " + quoted(text) + ": expected 64 hex digits, found " + std::to_string(pin.size() - colon - 1) + " characters", hint);
  return pin;
}

std::vector<Arg> effective_kubelet_args(const JoinConfig& config) {
  std::vector<Arg> args;
  const FirstBoot& boot = config.first_boot;
  std::string labels;
  for (const auto& [name, value] : boot.labels) labels += (labels.empty() ? "" : ",") + name + "=" + value;
  if (!labels.empty()) args.push_back({"node-labels", labels});
  if (!boot.node_ip.empty()) args.push_back({"node-ip", boot.node_ip});
  if (!boot.provider_id.empty()) args.push_back({"provider-id", boot.provider_id});
  args.insert(args.end(), config.kubelet_extra_args.begin(), config.kubelet_extra_args.end());
  return args;
}

}  // namespace kubejoin::config
