// TLS verification in one place: what a server presented, against whom we trust, and who we are ourselves.
#pragma once

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/http.h"

namespace kubejoin::tls {

struct StoreDeleter {
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
};
using Store = std::unique_ptr<X509_STORE, StoreDeleter>;

// Trust anchors out of PEM; what is no readable certificate is passed over, as Go's x509.CertPool does. None at all:
// Kind::untrusted "tls.ca".
Result<Store> make_store(std::string_view ca_pem);

// The machine's CA bundle: SSL_CERT_FILE, then the places of Debian, Red Hat, SUSE, Alpine (list of Go's crypto/x509
// root_linux.go). None: Kind::unfit "tls.no-host-cas".
Result<std::string> host_ca_bundle();

// The chain as the server presented it, leaf first; at most 16 certificates and 128 KiB.
PeerChain presented_chain(X509_STORE_CTX* handshake);

// Chain, validity, purpose "TLS server", and `host` (a name or an address) against the anchors. Kind::untrusted, id
// "tls.untrusted", "tls.name", "tls.expired" or "tls.not-yet-valid", with names and dates in the message. The subject's
// CN is no name (Go since 1.15).
Status verify(const PeerChain& chain, X509_STORE* anchors, const std::string& host);

// Our own certificate (its chain after it) and key for the connections of `context`; they must fit each other. Whether
// they did.
bool use_identity(SSL_CTX* context, std::string_view certificates_pem, std::string_view key_pem);

}  // namespace kubejoin::tls
