// Certificates out of PEM texts, and public key pins.
#include "kube/certificate.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <optional>

#include "base/text.h"
#include "kube/openssl.h"

namespace kubejoin::kube {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20, kMaxCertificates = 64;
constexpr std::string_view kPinType = "sha256";

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return trim(line);
}

// The base64 of the next CERTIFICATE block without headers; nothing at the end of the text. OpenSSL's reader is not
// used because it gives up at the first malformed block of any type, where Go's goes on.
std::optional<std::string> take_certificate(std::string_view& pem) {
  while (!pem.empty()) {
    if (take_line(pem) != "-----BEGIN CERTIFICATE-----") continue;
    std::string body;
    bool headers = false;
    for (std::string_view rest = pem; !rest.empty();) {
      const std::string_view line = take_line(rest);
      if (line.starts_with("-----")) {
        if (line != "-----END CERTIFICATE-----") break;  // not a block: its begin was mere text
        pem = rest;
        if (headers) break;
        return body;
      }
      headers = headers || line.find(':') != line.npos;
      body += line;
    }
  }
  return std::nullopt;
}

WallTime wall_time(const ASN1_TIME* time) {
  std::tm broken_down{};
  if (ASN1_TIME_to_tm(time, &broken_down) != 1) return {};
  using std::chrono::duration_cast, std::chrono::seconds;
  const seconds value(timegm(&broken_down));  // "never expires" is the year 9999: beyond a WallTime of nanoseconds
  const seconds least = duration_cast<seconds>(WallTime::min().time_since_epoch()),
                most = duration_cast<seconds>(WallTime::max().time_since_epoch());
  return WallTime(std::clamp(value, least, most));
}

std::vector<std::string> subject_entries(const X509_NAME* name, int nid) {
  std::vector<std::string> found;
  for (int at = X509_NAME_get_index_by_NID(name, nid, -1); at >= 0; at = X509_NAME_get_index_by_NID(name, nid, at)) {
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (size < 0) continue;
    found.emplace_back(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(size));
    OPENSSL_free(utf8);
  }
  return found;
}

std::string shown_subject(const X509_NAME* name) {
  const BioPtr out = write_to_memory();
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253);
  return printable(written(out.get()));
}

std::string pin_of(const X509* certificate) {
  unsigned char* spki = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
  if (size <= 0) return {};
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  const bool done = EVP_Digest(spki, static_cast<std::size_t>(size), digest, &length, EVP_sha256(), nullptr) == 1;
  OPENSSL_free(spki);
  return done ? std::string(kPinType) + ":" + hex({reinterpret_cast<char*>(digest), length}) : std::string();
}

// Of a key that OpenSSL can make nothing of: its name (NIST CSOR, "Computer Security Objects Register"), else its number.
std::string foreign_kind(X509* certificate) {
  if (X509_get0_pubkey(certificate) != nullptr) return {};
  ERR_clear_error();
  ASN1_OBJECT* algorithm = nullptr;
  X509_PUBKEY_get0_param(&algorithm, nullptr, nullptr, nullptr, X509_get_X509_PUBKEY(certificate));
  char number[80] = "";
  OBJ_obj2txt(number, sizeof number, algorithm, 1);
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"2.16.840.1.101.3.4.3.17", "ML-DSA-44"}, {"2.16.840.1.101.3.4.3.18", "ML-DSA-65"}, {"2.16.840.1.101.3.4.3.19", "ML-DSA-87"}};
  for (const auto& [oid, name] : kNames)
    if (oid == number) return std::string(name);
  return "of the unknown kind " + std::string(number);
}

std::optional<Certificate> parse_der(std::string der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* end = at + der.size();
  const X509Ptr x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!x509 || at != end) return std::nullopt;
  Certificate certificate;
  const X509_NAME* name = X509_get_subject_name(x509.get());
  certificate.pin = pin_of(x509.get());
  if (certificate.pin.empty()) return std::nullopt;
  certificate.subject = shown_subject(name);
  if (auto names = subject_entries(name, NID_commonName); !names.empty()) certificate.common_name = names.back();
  certificate.organizations = subject_entries(name, NID_organizationName);
  certificate.not_before = wall_time(X509_get0_notBefore(x509.get()));
  certificate.not_after = wall_time(X509_get0_notAfter(x509.get()));
  certificate.is_ca = X509_check_ca(x509.get()) == 1;
  certificate.foreign_key = foreign_kind(x509.get());
  certificate.der = std::move(der);
  return certificate;
}

tl::unexpected<Error> broken(std::string why) {
  return fail(Kind::invalid, "kube.certificate", "unable to read the certificates: " + std::move(why),
              "a PEM text with -----BEGIN CERTIFICATE----- blocks is expected");
}

}  // namespace

Result<std::vector<Certificate>> parse_certificates(std::string_view pem) {
  if (pem.size() > kMaxBytes) return broken("the text is longer than 1 MiB");
  std::vector<Certificate> found;
  while (const auto body = take_certificate(pem)) {
    const std::string which = "certificate " + std::to_string(found.size() + 1);
    if (found.size() == kMaxCertificates) return broken("there are more than " + std::to_string(kMaxCertificates));
    std::optional<std::string> der = base64_decode(*body);
    if (!der) return broken(which + " is not base64");
    std::optional<Certificate> certificate = parse_der(std::move(*der));
    if (!certificate) return broken(which + " is not X.509 (" + openssl_reason() + ")");
    found.push_back(std::move(*certificate));
  }
  if (found.empty()) return broken("there is none");
  return found;
}

Result<std::string> parse_pin(std::string_view text) {
  const std::string pin = lower(text);
  const std::size_t colon = pin.find(':');
  const std::string type = pin.substr(0, colon), value = colon == pin.npos ? "" : pin.substr(colon + 1);
  std::string why;
  if (colon == pin.npos)
    why = "it lacks its type";
  else if (type != kPinType)
    why = "its type " + quoted(type, 32) + " is unknown";
  else if (value.size() != 64 || !hex_decode(value))
    why = "64 hex digits are expected after the colon";
  else
    return pin;
  return fail(Kind::invalid, "discovery.pin-format",
              "unable to read the CA certificate hash " + quoted(text, 96) + ": " + why,
              "write it as sha256:<64 hex digits>; 'kubeadm token create --print-join-command' on a control plane node "
              "prints it");
}

Status check_pins(std::span<const Certificate> bundle, std::span<const std::string> pins) {
  std::vector<std::string> wanted, shown;
  for (const std::string& pin : pins) {
    TRY(wanted.emplace_back(), parse_pin(pin));
  }
  for (const Certificate& certificate : bundle) {
    if (std::find(wanted.begin(), wanted.end(), certificate.pin) != wanted.end()) return {};
    shown.push_back(certificate.pin + " (" + certificate.subject + ")");
  }
  return fail(Kind::untrusted, "discovery.pin-mismatch",
              "unable to trust the cluster: none of its CA's keys is pinned: the cluster has " +
                  (shown.empty() ? "none" : join(shown, ", ")) + ", the pins are " +
                  (wanted.empty() ? "none" : join(wanted, ", ")),
              "if the cluster is the right one, correct caCertHashes ('kubeadm token create --print-join-command' on a "
              "control plane node prints the hash); if not, the endpoint leads elsewhere");
}

Status check_keys(std::span<const Certificate> bundle) {
  if (std::any_of(bundle.begin(), bundle.end(), [](const Certificate& one) { return one.foreign_key.empty(); })) return {};
  return fail(Kind::untrusted, "discovery.ca-kind",
              "unable to verify anything with the cluster's CA: its key is " + bundle.front().foreign_key + ", which kubejoin " KUBEJOIN_VERSION " cannot read",
              "kubeadm of the cluster's release can join this machine; or give the cluster a CA with an RSA or ECDSA key "
              "(encryptionAlgorithm of its ClusterConfiguration)");
}

}  // namespace kubejoin::kube
