// Fuzzes the reader of kubeconfig files: no error shows their text, and what is read survives being written for the kubelet.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "kube/certificate.h"
#include "kube/kubeconfig.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kubejoin;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = kube::parse_kubeconfig(text, "the text");
  if (!read) {
    const Error& e = read.error();
    if (e.kind != Kind::invalid || e.message.empty() || e.message.find('\n') != std::string::npos ||
        !e.place.text.empty())
      std::abort();
    return 0;
  }
  const kube::Kubeconfig::Cluster* cluster = read->cluster();
  if (const auto* user = read->user(); user && read->users.empty()) std::abort();
  if (!cluster) return 0;
  if (const auto bundle = kube::parse_certificates(cluster->ca_data); bundle)
    for (const kube::Certificate& certificate : *bundle)
      if (!kube::parse_pin(certificate.pin)) std::abort();

  const Secret token("abcdef.0123456789abcdef");
  for (const int minor : {20, 37}) {
    const std::string written =
        kube::bootstrap_kubeconfig(cluster->name, cluster->server, cluster->ca_data, token, minor);
    const auto again = kube::parse_kubeconfig(written, "what was written");
    if (!again || again->clusters.size() != 1 || again->users.size() != 1) std::abort();
    if (again->clusters[0].name != cluster->name || again->clusters[0].server != cluster->server ||
        again->clusters[0].ca_data != cluster->ca_data || again->users[0].token.expose() != token.expose())
      std::abort();
  }
  return 0;
}
