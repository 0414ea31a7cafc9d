// PKI: the stand-in's certificate authority, the certificates it shows, the CSRs it signs, the signature of
// cluster-info; on OpenSSL alone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openssl/evp.h>
#include <openssl/x509.h>

namespace kubejoin::standin {

struct Free {
  void operator()(X509* p) const { X509_free(p); }
  void operator()(X509_REQ* p) const { X509_REQ_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

struct Pair {
  Owned<X509> certificate;
  Owned<EVP_PKEY> key;
  std::string pem() const;  // of the certificate
};

// When a certificate is valid, in seconds from now.
struct Validity {
  long from = -300, until = 365L * 86400;
};

// What a node's certificate says that its key may do.
struct Powers {
  std::string usage = "critical,digitalSignature,keyEncipherment", extended = "clientAuth", constraints = "critical,CA:FALSE";
};

enum class KeyType { ec, rsa };

Pair make_ca(const std::string& name, KeyType type);
// The same CA as PEM, but that its key claims to be of another kind: a number in ASN.1, "2.16.840.1.101.3.4.3.18".
std::string with_key_of_kind(const Pair& ca, const char* kind);
// For the names (DNS or IP) of a server.
Pair make_server(const Pair& ca, const std::vector<std::string>& names, KeyType type, Validity validity = {});

// "sha256:HEX" over the public key, as kubeadm pins it.
std::string pin_of(X509* certificate);

// Detached JWS of `payload` (kubeadm cluster-bootstrap/token/jws).
std::string jws(const std::string& payload, const std::string& token_id, const std::string& token_secret);

std::string base64(const std::string& bytes);
std::string from_base64(const std::string& text);  // "" when it is none

// What a PKCS#10 request says; `problem` is why a node's client certificate cannot be made from it, "" if it can
// (kubernetes pkg/apis/certificates/helpers.go, ValidateKubeletClientCSR).
struct NodeRequest {
  Owned<X509_REQ> request;
  std::string common_name, problem;
};
NodeRequest read_request(const std::string& pem);

// A node's request with a key that nobody keeps.
std::string make_request(const std::string& common_name);

// As kube-controller-manager issues it: client authentication, one year, back-dated. `key` and `common_name` are the
// request's own unless something else shall go wrong.
std::string sign_request(const Pair& ca, X509_REQ* request, const std::string& common_name, EVP_PKEY* key,
                         Validity validity, const Powers& powers = {});

Owned<EVP_PKEY> make_key(KeyType type);

// User and groups of a client certificate that `ca` issued and that is valid now; an empty user otherwise.
struct Subject {
  std::string common_name, organization;
};
Subject verified_subject(const Pair& ca, X509* certificate);

}  // namespace kubejoin::standin
