// OpenSSL, with few words.
#include "pki.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

namespace kubejoin::standin {
namespace {

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

std::string pem_of(X509* certificate) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  return text_of(bio);
}

void add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void add_name(X509_NAME* name, const char* field, const std::string& value) {
  X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                             static_cast<int>(value.size()), -1, 0);
}

std::string name_entry(const X509_NAME* name, int id, int* count = nullptr) {
  int n = 0;
  std::string value;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(name, id, at)) >= 0; ++n) {
    const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    value.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                 static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  if (count) *count = n;
  return value;
}

Owned<X509> blank(Validity validity, EVP_PKEY* key) {
  Owned<X509> certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  std::uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), validity.from);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), validity.until);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

void sign(X509* certificate, const Pair& ca) { X509_sign(certificate, ca.key.get(), EVP_sha256()); }

std::string hex(const unsigned char* bytes, std::size_t size) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < size; ++i) (text += kDigits[bytes[i] >> 4]) += kDigits[bytes[i] & 15];
  return text;
}

std::string base64url(const std::string& bytes) {
  std::string text = base64(bytes);
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

}  // namespace

std::string Pair::pem() const { return pem_of(certificate.get()); }

Owned<EVP_PKEY> make_key(KeyType type) {
  return Owned<EVP_PKEY>(type == KeyType::rsa ? EVP_RSA_gen(2048U) : EVP_EC_gen("P-256"));
}

Pair make_ca(const std::string& name, KeyType type) {
  Pair ca;
  ca.key = make_key(type);
  ca.certificate = blank({-3600, 3650L * 86400}, ca.key.get());
  X509* certificate = ca.certificate.get();
  add_name(X509_get_subject_name(certificate), "CN", name);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  add_extension(certificate, certificate, NID_key_usage, "critical,digitalSignature,keyEncipherment,keyCertSign");
  add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
  add_extension(certificate, certificate, NID_subject_alt_name, "DNS:" + name);
  sign(certificate, ca);
  return ca;
}

std::string with_key_of_kind(const Pair& ca, const char* kind) {
  const Owned<X509> certificate(X509_dup(ca.certificate.get()));
  constexpr std::size_t kSize = 1952;  // ML-DSA-65's
  auto* bytes = static_cast<unsigned char*>(OPENSSL_zalloc(kSize));
  X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(certificate.get()), OBJ_txt2obj(kind, 1), V_ASN1_UNDEF, nullptr, bytes, kSize);
  sign(certificate.get(), ca);
  return pem_of(certificate.get());
}

Pair make_server(const Pair& ca, const std::vector<std::string>& names, KeyType type, Validity validity) {
  Pair server;
  server.key = make_key(type);
  server.certificate = blank(validity, server.key.get());
  X509* certificate = server.certificate.get();
  add_name(X509_get_subject_name(certificate), "CN", "kube-apiserver");
  X509_set_issuer_name(certificate, X509_get_subject_name(ca.certificate.get()));
  std::string alternatives;
  for (const std::string& name : names) {
    unsigned char address[16];
    const bool is_address =
        inet_pton(AF_INET, name.c_str(), address) == 1 || inet_pton(AF_INET6, name.c_str(), address) == 1;
    alternatives += (alternatives.empty() ? "" : ",") + std::string(is_address ? "IP:" : "DNS:") + name;
  }
  add_extension(certificate, ca.certificate.get(), NID_key_usage, "critical,digitalSignature,keyEncipherment");
  add_extension(certificate, ca.certificate.get(), NID_ext_key_usage, "serverAuth");
  add_extension(certificate, ca.certificate.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate, ca.certificate.get(), NID_authority_key_identifier, "keyid:always");
  add_extension(certificate, ca.certificate.get(), NID_subject_alt_name, alternatives);
  sign(certificate, ca);
  return server;
}

std::string pin_of(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  unsigned char digest[32];
  EVP_Digest(der, static_cast<std::size_t>(size), digest, nullptr, EVP_sha256(), nullptr);
  OPENSSL_free(der);
  return "sha256:" + hex(digest, sizeof digest);
}

std::string base64(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string from_base64(const std::string& text) {
  std::string bytes(text.size() + 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return {};
  const auto padding = static_cast<std::size_t>(text.size() - text.find_last_not_of('=') - 1);
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

std::string jws(const std::string& payload, const std::string& token_id, const std::string& token_secret) {
  const std::string header = base64url(R"({"alg":"HS256","kid":")" + token_id + "\"}");
  const std::string input = header + "." + base64url(payload);
  unsigned char mac[32];
  unsigned size = 0;
  HMAC(EVP_sha256(), token_secret.data(), static_cast<int>(token_secret.size()),
       reinterpret_cast<const unsigned char*>(input.data()), input.size(), mac, &size);
  return header + ".." + base64url(std::string(reinterpret_cast<char*>(mac), size));
}

NodeRequest read_request(const std::string& pem) {
  NodeRequest read;
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  read.request.reset(PEM_read_bio_X509_REQ(bio, nullptr, nullptr, nullptr));
  BIO_free(bio);
  ERR_clear_error();
  if (!read.request) return read.problem = "PEM block type must be CERTIFICATE REQUEST", std::move(read);
  X509_REQ* request = read.request.get();
  const X509_NAME* subject = X509_REQ_get_subject_name(request);
  int organizations = 0;
  const std::string organization = name_entry(subject, NID_organizationName, &organizations);
  read.common_name = name_entry(subject, NID_commonName);
  STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request);
  const int alternatives = X509v3_get_ext_by_NID(extensions, NID_subject_alt_name, -1);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  if (X509_REQ_verify(request, X509_REQ_get0_pubkey(request)) != 1)
    read.problem = "the request is not signed by its own key";
  else if (organizations != 1 || organization != "system:nodes")
    read.problem = "subject organization is not system:nodes";
  else if (read.common_name.rfind("system:node:", 0) != 0)
    read.problem = "subject common name does not begin with system:node: ";
  else if (alternatives >= 0)
    read.problem = "DNS, IP, email or URI subjectAltNames are not allowed";
  return read;
}

std::string make_request(const std::string& common_name) {
  const Owned<X509_REQ> request(X509_REQ_new());
  const Owned<EVP_PKEY> key = make_key(KeyType::ec);
  add_name(X509_REQ_get_subject_name(request.get()), "O", "system:nodes");
  add_name(X509_REQ_get_subject_name(request.get()), "CN", common_name);
  X509_REQ_set_pubkey(request.get(), key.get());
  X509_REQ_sign(request.get(), key.get(), EVP_sha256());
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509_REQ(bio, request.get());
  return text_of(bio);
}

std::string sign_request(const Pair& ca, X509_REQ* request, const std::string& common_name, EVP_PKEY* key,
                         Validity validity, const Powers& powers) {
  const Owned<X509> certificate = blank(validity, key ? key : X509_REQ_get0_pubkey(request));
  add_name(X509_get_subject_name(certificate.get()), "O", "system:nodes");
  add_name(X509_get_subject_name(certificate.get()), "CN", common_name);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(ca.certificate.get()));
  add_extension(certificate.get(), ca.certificate.get(), NID_key_usage, powers.usage);
  add_extension(certificate.get(), ca.certificate.get(), NID_ext_key_usage, powers.extended);
  add_extension(certificate.get(), ca.certificate.get(), NID_basic_constraints, powers.constraints);
  add_extension(certificate.get(), ca.certificate.get(), NID_authority_key_identifier, "keyid:always");
  sign(certificate.get(), ca);
  return pem_of(certificate.get());
}

Subject verified_subject(const Pair& ca, X509* certificate) {
  const bool is_ours = certificate && X509_verify(certificate, ca.key.get()) == 1;
  if (!is_ours || X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0 ||
      X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
    ERR_clear_error();
    return {};
  }
  const X509_NAME* name = X509_get_subject_name(certificate);
  return {name_entry(name, NID_commonName), name_entry(name, NID_organizationName)};
}

}  // namespace kubejoin::standin
