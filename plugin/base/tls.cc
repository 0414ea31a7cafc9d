// Verification with OpenSSL's own path builder; only the wording is ours.
#include "base/tls.h"

#include <cstdio>
#include <cstdlib>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/text.h"

namespace kubejoin::tls {
namespace {

struct Free {
  void operator()(X509* p) const { X509_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(X509_STORE_CTX* p) const { X509_STORE_CTX_free(p); }
  void operator()(STACK_OF(X509) * p) const { sk_X509_pop_free(p, X509_free); }
  void operator()(GENERAL_NAMES* p) const { GENERAL_NAMES_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Owned<X509> from_der(const std::string& der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  return Owned<X509>(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
}

std::string date(const ASN1_TIME* time) {
  Owned<BIO> bio(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(bio.get(), time);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string subject(X509* certificate) {
  Owned<BIO> bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), X509_get_issuer_name(certificate), 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return printable({text, static_cast<std::size_t>(size)});
}

std::string names(X509* certificate) {
  Owned<GENERAL_NAMES> alternatives(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string list;
  for (int i = 0; alternatives && i < sk_GENERAL_NAME_num(alternatives.get()) && i < 20; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives.get(), i);
    std::string one;
    if (name->type == GEN_DNS) {
      one.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)), static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    } else if (name->type == GEN_IPADD) {
      const unsigned char* b = ASN1_STRING_get0_data(name->d.iPAddress);
      const int size = ASN1_STRING_length(name->d.iPAddress);
      char text[64] = "";
      if (size == 4) std::snprintf(text, sizeof text, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
      for (int j = 0; size == 16 && j < 16; j += 2)
        std::snprintf(text + std::char_traits<char>::length(text), 6, "%s%x", j > 0 ? ":" : "", static_cast<unsigned>(b[j]) << 8 | b[j + 1]);
      one = text;
    }
    if (!one.empty()) list += (list.empty() ? "" : ", ") + printable(one);
  }
  return list.empty() ? "no name at all" : list;
}

}  // namespace

Result<Store> make_store(std::string_view ca_pem) {
  Store store(X509_STORE_new());
  Owned<BIO> bio(BIO_new_mem_buf(ca_pem.data(), static_cast<int>(ca_pem.size())));
  int count = 0;
  while (Owned<X509> certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    X509_STORE_add_cert(store.get(), certificate.get());
    ++count;
  }
  if (count == 0) return fail(Kind::untrusted, "tls.ca", "the CA bundle holds no certificate");
  // Every certificate of the bundle is an anchor, whether it is self-signed or not, as Go's x509.CertPool has it.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  return store;
}

Result<std::string> host_ca_bundle() {
  const char* chosen = std::getenv("SSL_CERT_FILE");
  const char* places[] = {chosen != nullptr ? chosen : "", "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
                          "/etc/pki/tls/cacert.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem"};
  for (const char* place : places) {
    std::FILE* file = *place == '\0' ? nullptr : std::fopen(place, "re");
    if (file == nullptr) continue;
    std::string text;
    char buffer[1 << 16];
    constexpr std::size_t kMaxBundle = 8 << 20;
    for (std::size_t n = 0; text.size() < kMaxBundle && (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, n);
    std::fclose(file);
    return text;
  }
  return fail(Kind::unfit, "tls.no-host-cas", "this machine has no CA bundle to verify https servers with", "install ca-certificates, or set SSL_CERT_FILE");
}

Status verify(const PeerChain& chain, X509_STORE* anchors, const std::string& host) {
  if (chain.der.empty()) return fail(Kind::untrusted, "tls.untrusted", "the server presented no certificate");
  Owned<X509> leaf = from_der(chain.der.front());
  Owned<STACK_OF(X509)> others(sk_X509_new_null());
  for (std::size_t i = 1; i < chain.der.size(); ++i)
    if (Owned<X509> one = from_der(chain.der[i])) sk_X509_push(others.get(), one.release());
  Owned<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (!leaf || X509_STORE_CTX_init(context.get(), anchors, leaf.get(), others.get()) != 1)
    return fail(Kind::untrusted, "tls.untrusted", "the server's certificate cannot be read");
  X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  if (is_ipv4(host) || is_ipv6(host)) X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str());
  else X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size());
  if (X509_verify_cert(context.get()) == 1) return {};

  const int why = X509_STORE_CTX_get_error(context.get());
  X509* bad = X509_STORE_CTX_get_current_cert(context.get());
  if (bad == nullptr) bad = leaf.get();
  const std::string clock = rfc3339(std::chrono::system_clock::now());
  switch (why) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fail(Kind::untrusted, "tls.name", "the server's certificate is not for " + quoted(host) + " but for " + names(leaf.get()),
                  "use one of these names as the endpoint, or add the name to the API server's certificate (certSANs)");
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return fail(Kind::untrusted, "tls.expired", "the server's certificate expired on " + date(X509_get0_notAfter(bad)) + " (this machine's clock: " + clock + ")",
                  "renew it, or set this machine's clock");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fail(Kind::untrusted, "tls.not-yet-valid", "the server's certificate is not valid before " + date(X509_get0_notBefore(bad)) + " (this machine's clock: " + clock + ")",
                  "set this machine's clock");
    default:
      return fail(Kind::untrusted, "tls.untrusted",
                  std::string("the server's certificate does not verify: ") + X509_verify_cert_error_string(why) + " (issuer " + quoted(subject(leaf.get())) + ")",
                  "is this the right server, and is its CA the one that was given?");
  }
}

}  // namespace kubejoin::tls
