// Fuzzes what an unproven API server says first: the ConfigMap cluster-info, its signature, its CA, the pins.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "kube/certificate.h"
#include "kube/kubeconfig.h"
#include "kube/objects.h"
#include "kube/token.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using namespace kubejoin;

void check(const Error& e) {
  if (e.id.empty() || e.message.empty() || e.message.find('\n') != std::string::npos ||
      e.hint.find('\n') != std::string::npos)
    std::abort();
}

void read_ca(const std::string& text) {
  const auto kubeconfig = kube::parse_kubeconfig(text, "cluster-info");
  if (!kubeconfig) return check(kubeconfig.error());
  for (const auto& cluster : kubeconfig->clusters) {
    const auto bundle = kube::parse_certificates(cluster.ca_data);
    if (!bundle) {
      check(bundle.error());
      continue;
    }
    // Every certificate fits its own pin, and none fits another.
    for (const kube::Certificate& certificate : *bundle)
      if (!kube::check_pins(*bundle, {&certificate.pin, 1})) std::abort();
    const std::string other = "sha256:" + std::string(64, '0');
    const auto refused = kube::check_pins(*bundle, {&other, 1});
    if (refused) std::abort();
    check(refused.error());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const kube::Token kToken = *kube::parse_token(Secret("abcdef.0123456789abcdef"));
  const std::string text(reinterpret_cast<const char*>(data), size);

  const auto map = kube::parse_config_map(text);
  if (!map) check(map.error());
  if (map) {
    const auto kubeconfig = map->data.find("kubeconfig");
    const auto jws = map->data.find("jws-kubeconfig-abcdef");
    if (kubeconfig != map->data.end() && jws != map->data.end())
      (void)kube::jws_verify(kubeconfig->second, jws->second, kToken);
    if (kubeconfig != map->data.end()) read_ca(kubeconfig->second);
  }

  // The same bytes as the signed text itself: the signature holds for them and for no others.
  const std::string signature = kube::jws_sign(text, kToken);
  if (!kube::jws_verify(text, signature, kToken) || kube::jws_verify(text + " ", signature, kToken) ||
      kube::jws_verify(text, signature + "=", kToken) || kube::jws_verify(text, text, kToken))
    std::abort();
  return 0;
}
