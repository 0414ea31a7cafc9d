// X.509 certificates as a join needs them: what a bundle holds, and whether one of its keys is pinned.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/host.h"
#include "base/result.h"

namespace kubejoin::kube {

struct Certificate {
  std::string der;
  std::string pin;      // "sha256:<hex>" over the DER SubjectPublicKeyInfo (kubeadm util/pubkeypin)
  std::string subject;  // RFC 2253, fit to be shown
  std::string common_name;
  std::vector<std::string> organizations;
  WallTime not_before, not_after;  // clamped to what WallTime can hold
  bool is_ca = false;
  std::string foreign_key;  // the kind of its key, "ML-DSA-65", when nothing here can verify with it; else empty
};

// Every CERTIFICATE block of a PEM text, in its order. Text between blocks, blocks of another type and blocks with
// headers are skipped, as client-go's util/cert/pem.go does. None at all, more than 64, more than 1 MiB, or one that is
// broken: Kind::invalid "kube.certificate".
Result<std::vector<Certificate>> parse_certificates(std::string_view pem);

// A pin as the user wrote it, in lower case: "sha256:" and 64 hex digits. Else Kind::invalid "discovery.pin-format".
Result<std::string> parse_pin(std::string_view text);

// One match of any pin with any certificate suffices (kubeadm 1.22 and later; earlier ones read the first pin alone).
// Otherwise Kind::untrusted "discovery.pin-mismatch", naming both sides; a malformed pin is parse_pin()'s error.
Status check_pins(std::span<const Certificate> bundle, std::span<const std::string> pins);

// Can anything be verified with one of the bundle's keys? Otherwise Kind::untrusted "discovery.ca-kind", naming the kind.
Status check_keys(std::span<const Certificate> bundle);

}  // namespace kubejoin::kube
