// Verification with OpenSSL's own path builder; only the wording is ours.
#include "base/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>

#include "base/text.h"

namespace kubejoin::tls {
namespace {

constexpr std::size_t kMaxChain = 16, kMaxChainBytes = 128 << 10;
constexpr std::size_t kMaxBundle = 8 << 20;
constexpr int kMaxNamesShown = 20;

struct Free {
  void operator()(X509* p) const { X509_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(X509_STORE_CTX* p) const { X509_STORE_CTX_free(p); }
  void operator()(STACK_OF(X509) * p) const { sk_X509_pop_free(p, X509_free); }
  void operator()(GENERAL_NAMES* p) const { GENERAL_NAMES_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Owned<BIO> reading(std::string_view text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Owned<X509> from_der(const std::string& der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  return Owned<X509>(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
}

// The next certificate of a PEM text; nothing at its end.
Owned<X509> next_certificate(BIO* pem) {
  for (;;) {
    if (Owned<X509> certificate{PEM_read_bio_X509(pem, nullptr, nullptr, nullptr)}) return certificate;
    const bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();  // or the next user of the queue, curl, tells ours
    if (is_end) return nullptr;
  }
}

std::string date(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "an unreadable date";
  return rfc3339(std::chrono::system_clock::from_time_t(::timegm(&parts)));
}

std::string one_line(const X509_NAME* name) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return quoted(std::string_view(text, static_cast<std::size_t>(size)));
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  const unsigned char* b = ASN1_STRING_get0_data(address);
  const int size = ASN1_STRING_length(address);
  std::string text;
  char part[8];
  for (int i = 0; size == 4 && i < 4; ++i) text += (i > 0 ? "." : "") + std::to_string(b[i]);
  for (int i = 0; size == 16 && i < 16; i += 2) {
    std::snprintf(part, sizeof part, "%s%x", i > 0 ? ":" : "", static_cast<unsigned>(b[i]) << 8 | b[i + 1]);
    text += part;
  }
  return text;
}

// The names and addresses a certificate is for, as a person would compare them with what was typed.
std::string names(X509* certificate) {
  const Owned<GENERAL_NAMES> alternatives(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string list;
  const int count = alternatives ? sk_GENERAL_NAME_num(alternatives.get()) : 0;
  for (int i = 0; i < count && i < kMaxNamesShown; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives.get(), i);
    std::string one;
    if (name->type == GEN_DNS)
      one.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                 static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    if (name->type == GEN_IPADD) one = address_text(name->d.iPAddress);
    if (!one.empty()) list += (list.empty() ? "" : ", ") + printable(one);
  }
  if (count > kMaxNamesShown) list += ", …";
  return list.empty() ? "no name at all" : list;
}

Status untrusted(std::string_view id, std::string message, std::string hint) {
  return fail(Kind::untrusted, id, std::move(message), std::move(hint));
}

// One verification: against every anchor, or against `alone`, and then with what was presented before it.
Owned<X509_STORE_CTX> attempt(X509* leaf, STACK_OF(X509) * others, X509_STORE* anchors, X509* alone,
                              const std::string& host) {
  Owned<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (!context || X509_STORE_CTX_init(context.get(), anchors, leaf, others) != 1) return nullptr;
  X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM* wanted = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_auth_level(wanted, 1);  // no signature by MD5 or SHA-1, no RSA below 1024 bits
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const std::size_t size = host.size() - (host.ends_with('.') ? 1 : 0);  // without the final dot, as crypto/x509
  const int is_set = is_ipv4(host) || is_ipv6(host) ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str())
                                                    : X509_VERIFY_PARAM_set1_host(wanted, host.data(), size);
  if (is_set != 1) return nullptr;
  STACK_OF(X509)* one = alone == nullptr ? nullptr : sk_X509_new_null();
  if (one != nullptr) {
    sk_X509_push(one, alone);
    X509_STORE_CTX_set0_trusted_stack(context.get(), one);
    X509_VERIFY_PARAM_clear_flags(wanted, X509_V_FLAG_TRUSTED_FIRST);
  }
  if (X509_verify_cert(context.get()) != 1 && X509_STORE_CTX_get_error(context.get()) == X509_V_OK)
    X509_STORE_CTX_set_error(context.get(), X509_V_ERR_UNSPECIFIED);
  sk_X509_free(one);  // the list; its certificate is the caller's
  return context;
}

// Without a context there was no memory, or no name that can be verified.
int error_of(const Owned<X509_STORE_CTX>& context) {
  return context ? X509_STORE_CTX_get_error(context.get()) : X509_V_ERR_UNSPECIFIED;
}
bool is_proven(const Owned<X509_STORE_CTX>& context) { return error_of(context) == X509_V_OK; }
bool has_chain(const Owned<X509_STORE_CTX>& context) {
  const int error = error_of(context);
  return error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH ||
         error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID;
}

}  // namespace

Result<Store> make_store(std::string_view ca_pem) {
  Store store(X509_STORE_new());
  const Owned<BIO> pem = reading(ca_pem);
  int count = 0;
  while (const Owned<X509> certificate = next_certificate(pem.get()))
    count += X509_STORE_add_cert(store.get(), certificate.get());
  if (count == 0) return fail(Kind::untrusted, "tls.ca", "the CA bundle holds no certificate");
  // Every certificate of the bundle is an anchor, whether it is self-signed or not, as Go's x509.CertPool has it.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  return store;
}

Result<std::string> host_ca_bundle() {
  const char* chosen = std::getenv("SSL_CERT_FILE");
  const char* places[] = {chosen != nullptr ? chosen : "",
                          "/etc/ssl/certs/ca-certificates.crt",
                          "/etc/pki/tls/certs/ca-bundle.crt",
                          "/etc/ssl/ca-bundle.pem",
                          "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
                          "/etc/ssl/cert.pem"};
  for (const char* place : places) {
    std::FILE* file = *place == '\0' ? nullptr : std::fopen(place, "re");
    if (file == nullptr) continue;
    std::string text;
    char buffer[1 << 16];
    for (std::size_t n = 0; text.size() < kMaxBundle && (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;)
      text.append(buffer, n);
    std::fclose(file);
    return text;
  }
  return fail(Kind::unfit, "tls.no-host-cas", "this machine has no CA bundle to verify https servers with",
              "install ca-certificates, or set SSL_CERT_FILE");
}

PeerChain presented_chain(X509_STORE_CTX* handshake) {
  PeerChain chain;
  std::size_t bytes = 0;
  const auto add = [&](X509* certificate) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate, &der);
    if (size > 0 && chain.der.size() < kMaxChain && (bytes += static_cast<std::size_t>(size)) <= kMaxChainBytes)
      chain.der.emplace_back(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
  };
  X509* leaf = X509_STORE_CTX_get0_cert(handshake);
  add(leaf);
  // OpenSSL hands the presented list over with the leaf in it.
  STACK_OF(X509)* presented = X509_STORE_CTX_get0_untrusted(handshake);
  for (int i = 0; i < sk_X509_num(presented); ++i) {
    if (X509* one = sk_X509_value(presented, i); X509_cmp(one, leaf) != 0) add(one);
  }
  return chain;
}

Status verify(const PeerChain& chain, X509_STORE* anchors, const std::string& host) {
  const Owned<X509> leaf = chain.der.empty() ? nullptr : from_der(chain.der.front());
  const Owned<STACK_OF(X509)> others(sk_X509_new_null());
  for (std::size_t i = 1; i < chain.der.size(); ++i) {
    if (Owned<X509> one = from_der(chain.der[i])) sk_X509_push(others.get(), one.release());
  }
  if (!leaf)
    return untrusted("tls.untrusted", "the server presented no certificate that can be read",
                     "is this an https server?");
  if (host.empty())
    return untrusted("tls.name", "there is no name to verify the server by", "give the server's name or address");
  Owned<X509_STORE_CTX> context = attempt(leaf.get(), others.get(), anchors, nullptr, host);
  // OpenSSL takes the first issuer of the right name for the only one, and while a CA is being replaced there are two
  // "CN=kubernetes". So each anchor has its turn alone; Go tries them all too.
  const Owned<STACK_OF(X509)> all(X509_STORE_get1_all_certs(anchors));
  for (int i = 0; !is_proven(context) && sk_X509_num(all.get()) > 1 && i < sk_X509_num(all.get()); ++i) {
    Owned<X509_STORE_CTX> alone = attempt(leaf.get(), others.get(), anchors, sk_X509_value(all.get(), i), host);
    // An attempt that got as far as a name or a date tells more than one that found no issuer.
    if (is_proven(alone) || (has_chain(alone) && !has_chain(context))) context = std::move(alone);
  }
  ERR_clear_error();
  if (is_proven(context)) return {};

  const int why = error_of(context);
  X509* bad = context ? X509_STORE_CTX_get_current_cert(context.get()) : nullptr;
  if (bad == nullptr) bad = leaf.get();
  const bool is_leaf = !context || X509_STORE_CTX_get_error_depth(context.get()) == 0;
  const std::string whose =
      is_leaf ? "the server's certificate" : "the CA certificate " + one_line(X509_get_subject_name(bad));
  const std::string clock = " (this machine's clock says " + rfc3339(std::chrono::system_clock::now()) + ")";
  switch (why) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return untrusted(
          "tls.name", "the server's certificate is not for " + quoted(host) + " but for " + names(leaf.get()),
          "use one of these names as the endpoint, or add the name to the API server's certificate (certSANs)");
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return untrusted("tls.expired", whose + " expired on " + date(X509_get0_notAfter(bad)) + clock,
                       "is this machine's clock right (timedatectl)? If it is, renew the certificate");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return untrusted("tls.not-yet-valid", whose + " is not valid before " + date(X509_get0_notBefore(bad)) + clock,
                       "is this machine's clock right (timedatectl)?");
    default:
      return untrusted("tls.untrusted",
                       whose + " does not verify: " + X509_verify_cert_error_string(why) + " (issuer " +
                           one_line(X509_get_issuer_name(bad)) + ")",
                       "is this the right server, and is its CA the one that was given?");
  }
}

bool use_identity(SSL_CTX* context, std::string_view certificates_pem, std::string_view key_pem) {
  const Owned<BIO> certificates = reading(certificates_pem);
  bool ok = true, is_first = true;
  while (const Owned<X509> certificate = next_certificate(certificates.get())) {
    ok = ok && (is_first ? SSL_CTX_use_certificate(context, certificate.get())
                         : SSL_CTX_add1_chain_cert(context, certificate.get())) == 1;
    is_first = false;
  }
  // Without a callback OpenSSL would ask the console for the password of an encrypted key.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  const Owned<BIO> pem = reading(key_pem);
  const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(pem.get(), nullptr, no_password, nullptr));
  ok = ok && !is_first && key != nullptr && SSL_CTX_use_PrivateKey(context, key.get()) == 1;
  ERR_clear_error();
  return ok;
}

}  // namespace kubejoin::tls
