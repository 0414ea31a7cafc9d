// Certificates made with OpenSSL.
#include "authority.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "kube/certificate.h"
#include "test.h"

namespace kubejoin {
namespace {

std::string pem_of(X509* certificate) {
  const kube::BioPtr out = kube::write_to_memory();
  PEM_write_bio_X509(out.get(), certificate);
  return kube::written(out.get());
}

// An authority is valid in any year that a test's clock may show.
Authority::Wish of_authority(const std::string& name) {
  Authority::Wish wish;
  wish.common_name = name;
  wish.organization = wish.usage = "";
  wish.from = std::chrono::sys_days{std::chrono::year{2000} / 1 / 1};
  wish.to = std::chrono::sys_days{std::chrono::year{2049} / 1 / 1};
  return wish;
}

}  // namespace

Authority::Authority(std::string name, bool with_key_ids)
    : name_(std::move(name)), with_key_ids_(with_key_ids), key_(EVP_EC_gen(SN_X9_62_prime256v1)) {
  certificate_ = make(of_authority(name_), key_.get(), *this, true);
}

std::string Authority::pem() const { return pem_of(certificate_.get()); }
std::string Authority::pin() const { return kube::parse_certificates(pem())->front().pin; }

std::string Authority::issue(std::string_view spki_der, const Wish& wish) const {
  const auto* at = reinterpret_cast<const unsigned char*>(spki_der.data());
  const kube::PkeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki_der.size())));
  return pem_of(make(wish, key.get(), *this, wish.is_ca).get());
}

std::string Authority::server_der(const std::string& names) const {
  const kube::PkeyPtr key(EVP_EC_gen(SN_X9_62_prime256v1));
  Wish wish;
  wish.common_name = "kube-apiserver";
  wish.organization = "";
  wish.usage = "serverAuth";
  wish.names = names;
  return der_of(make(wish, key.get(), *this, false).get());
}

std::string Authority::cross_sign(const Authority& other) const {
  return pem_of(make(of_authority(other.name_), other.key_.get(), *this, true).get());
}
std::string Authority::cross_sign_der(const Authority& other) const {
  return der_of(make(of_authority(other.name_), other.key_.get(), *this, true).get());
}

kube::X509Ptr Authority::make(const Wish& wish, EVP_PKEY* key, const Authority& issuer, bool is_ca) const {
  static long serial = 1;
  kube::X509Ptr x509(X509_new());
  X509* c = x509.get();
  X509_set_version(c, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(c), serial++);
  ASN1_TIME_set(X509_getm_notBefore(c), std::chrono::system_clock::to_time_t(wish.from));
  ASN1_TIME_set(X509_getm_notAfter(c), std::chrono::system_clock::to_time_t(wish.to));
  X509_set_pubkey(c, key);
  const auto add = [](X509_NAME* name, const char* field, const std::string& text) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.c_str());
    if (!text.empty()) X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, bytes, -1, -1, 0);
  };
  add(X509_get_subject_name(c), "O", wish.organization);
  add(X509_get_subject_name(c), "O", wish.second_organization);
  add(X509_get_subject_name(c), "CN", wish.common_name);
  add(X509_get_issuer_name(c), "CN", issuer.name_);

  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer.certificate_ ? issuer.certificate_.get() : c, c, nullptr, nullptr, 0);
  const auto extend = [&](int nid, const std::string& value) {
    X509_EXTENSION* extension = value.empty() ? nullptr : X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    REQUIRE_MESSAGE((extension != nullptr || value.empty()), "no extension ", value);
    if (extension != nullptr) X509_add_ext(c, extension, -1);
    X509_EXTENSION_free(extension);
  };
  extend(NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "");
  extend(NID_key_usage, is_ca ? "critical,keyCertSign" : wish.key_usage);
  extend(NID_ext_key_usage, wish.usage);
  extend(NID_subject_alt_name, wish.names);
  if (issuer.with_key_ids_) extend(NID_subject_key_identifier, is_ca ? "hash" : "");
  if (issuer.with_key_ids_ && issuer.certificate_) extend(NID_authority_key_identifier, "keyid");
  REQUIRE(X509_sign(c, issuer.key_.get(), EVP_sha256()) > 0);
  return x509;
}

std::string der_of(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  REQUIRE(size > 0);
  std::string bytes(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

}  // namespace kubejoin
