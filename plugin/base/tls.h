// TLS verification in one place: what a server presented, against whom we trust.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/x509.h>

#include "base/http.h"

namespace kubejoin::tls {

struct StoreDeleter {
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
};
using Store = std::unique_ptr<X509_STORE, StoreDeleter>;

// Trust anchors out of PEM. None at all or a broken one: Kind::untrusted "tls.ca".
Result<Store> make_store(std::string_view ca_pem);

// The machine's CA bundle: SSL_CERT_FILE, then the places of Debian, Red Hat, SUSE, Alpine (list of Go's crypto/x509 root_linux.go).
// None: Kind::unfit "tls.no-host-cas".
Result<std::string> host_ca_bundle();

// Chain, validity, purpose "TLS server", and `host` (a name or an address) against the anchors. Kind::untrusted, id "tls.untrusted", "tls.name",
// "tls.expired" or "tls.not-yet-valid", with names and dates in the message.
Status verify(const PeerChain& chain, X509_STORE* anchors, const std::string& host);

}  // namespace kubejoin::tls
