// The node's key, its certificate signing request, and the certificate that comes back.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/host.h"
#include "base/result.h"
#include "base/secret.h"
#include "kube/objects.h"

namespace kubejoin::kube {

struct Identity {
  Secret key_pem;  // SEC1 "EC PRIVATE KEY", P-256, as the kubelet stores it
  std::string spki_der;
};
Result<Identity> make_identity();  // with OpenSSL's generator; Kind::internal "kube.key" when it has none

// The first private key of a PEM text (SEC1 or PKCS#8; certificates beside it are skipped). Anything but an unencrypted
// P-256 key is Kind::machine "kube.key".
Result<Identity> parse_identity(const Secret& key_pem);

// PKCS#10 in PEM: O=system:nodes, CN=system:node:NAME, ecdsa-with-SHA256, no SAN (client-go util/cert/csr.go). The
// signature is random: two requests of one identity differ in it alone.
Result<std::string> make_csr(const Identity& identity, const std::string& node_name);

inline constexpr std::string_view kNodeSigner = "kubernetes.io/kube-apiserver-client-kubelet";
// What the kubelet asks for, in its order. Approvers up to 1.20 want exactly these; later ones take them.
inline const std::string kNodeUsages[] = {"digital signature", "key encipherment", "client auth"};

// "node-csr-" and 43 characters: one name for one key, subject and usages, so that a second run finds the request of
// the first (digestedName in pkg/kubelet/certificate/bootstrap).
std::string csr_name(std::string_view spki_der, const std::string& node_name, std::span<const std::string> usages);

// The JSON body of the POST; `api_version` is "certificates.k8s.io/v1" or "certificates.k8s.io/v1beta1".
std::string csr_object(const std::string& name, const std::string& csr_pem, const std::string& api_version);

// Does the issued certificate (leaf first) hold our key and our subject, chain to `ca_pem`, serve client
// authentication and nothing more, and is it valid at `now`? Otherwise Kind::untrusted "bootstrap.certificate", which says what is
// amiss.
Status check_issued(std::string_view cert_pem, const Identity& identity, const std::string& node_name,
                    std::string_view ca_pem, WallTime now);

// For a request found under our name: same subject, signed by our key, same signer. Otherwise Kind::untrusted
// "bootstrap.csr-incompatible" (ensureCompatible in client-go util/certificate/csr).
Status check_compatible(const Csr& csr, const Identity& identity, const std::string& node_name);

}  // namespace kubejoin::kube
