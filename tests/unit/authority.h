// A certificate authority of a test's own: real keys, real signatures, any mistake a test wants.
#pragma once

#include <openssl/x509.h>

#include <chrono>
#include <string>
#include <string_view>

#include "base/host.h"
#include "kube/openssl.h"

namespace kubejoin {

class Authority {
 public:
  struct Wish {
    std::string common_name = "system:node:node1", organization = "system:nodes", second_organization{};
    std::string usage = "clientAuth";
    std::string key_usage = "critical,digitalSignature";
    bool is_ca = false;
    std::string names{};  // subjectAltName as OpenSSL writes it: "DNS:localhost,IP:127.0.0.1"
    WallTime from = std::chrono::system_clock::now() - std::chrono::hours(1);
    WallTime to = std::chrono::system_clock::now() + std::chrono::hours(1);
  };

  // Without key identifiers (kubeadm up to 1.18) only a signature tells two authorities of one name apart.
  explicit Authority(std::string name = "kubernetes", bool with_key_ids = true);

  std::string pem() const;
  std::string pin() const;
  // A certificate, in PEM, for a public key given as DER SubjectPublicKeyInfo.
  std::string issue(std::string_view spki_der, const Wish& wish) const;
  // An API server's, as DER, for a key that nobody has.
  std::string server_der(const std::string& names = "DNS:localhost,IP:127.0.0.1") const;
  // `other`, name and key, signed by this authority; PEM and DER.
  std::string cross_sign(const Authority& other) const;
  std::string cross_sign_der(const Authority& other) const;

 private:
  kube::X509Ptr make(const Wish& wish, EVP_PKEY* key, const Authority& issuer, bool is_ca) const;

  std::string name_;
  bool with_key_ids_;
  kube::PkeyPtr key_;
  kube::X509Ptr certificate_;
};

std::string der_of(X509* certificate);

}  // namespace kubejoin
