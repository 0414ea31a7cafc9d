// Verification of a presented chain: against one CA, against bundles, and while a CA is being replaced.
#include "base/tls.h"

#include "../authority.h"
#include "../test.h"
#include "kube/kube.h"

using namespace kubejoin;

namespace {

constexpr const char* kHost = "localhost";

std::string verdict(const PeerChain& chain, const std::string& bundle, const std::string& host = kHost) {
  const auto store = tls::make_store(bundle);
  return store ? id_of(tls::verify(chain, store->get(), host)) : id_of(store);
}

}  // namespace

// kubeadm calls every CA "kubernetes". While one is replaced a bundle holds two, and a server has a certificate of either.
TEST_CASE("two CAs of one name: each proves its own servers, in any order, with and without key identifiers") {
  for (const bool with_key_ids : {true, false}) {
    CAPTURE(with_key_ids);
    const Authority old("kubernetes", with_key_ids), current("kubernetes", with_key_ids),
        stranger("kubernetes", with_key_ids);
    for (const std::string& bundle :
         {old.pem() + current.pem(), current.pem() + old.pem(), stranger.pem() + old.pem() + current.pem()}) {
      CHECK(verdict({{old.server_der()}}, bundle) == "ok");
      CHECK(verdict({{current.server_der()}}, bundle) == "ok");
      CHECK(verdict({{current.server_der("DNS:elsewhere")}}, bundle) == "tls.name");
    }
    CHECK(verdict({{stranger.server_der()}}, old.pem() + current.pem()) == "tls.untrusted");
    CHECK(verdict({{old.server_der()}}, current.pem()) == "tls.untrusted");
  }
}

TEST_CASE("a bundle of one authority and others beside it") {
  const Authority ca("kubernetes"), etcd("etcd-ca"), front("front-proxy-ca");
  const std::string bundle = etcd.pem() + ca.pem() + front.pem();
  CHECK(verdict({{ca.server_der()}}, bundle) == "ok");
  CHECK(verdict({{ca.server_der()}}, etcd.pem() + front.pem()) == "tls.untrusted");
  CHECK(verdict({{ca.server_der("DNS:elsewhere")}}, bundle) == "tls.name");
}

TEST_CASE("a new CA that the old one signed") {
  for (const std::string name : {"kubernetes", "kubernetes-2"}) {
    CAPTURE(name);
    const Authority old("kubernetes"), current(name), stranger("kubernetes");
    const std::string leaf = current.server_der();
    CHECK(verdict({{leaf, old.cross_sign_der(current)}}, old.pem()) == "ok");
    CHECK(verdict({{leaf}}, old.cross_sign(current)) == "ok");  // every certificate of a bundle is an anchor
    CHECK(verdict({{leaf}}, old.pem() + old.cross_sign(current)) == "ok");
    CHECK(verdict({{leaf}}, old.pem()) == "tls.untrusted");
    CHECK(verdict({{leaf, stranger.cross_sign_der(current)}}, old.pem()) == "tls.untrusted");
    CHECK(verdict({{leaf, old.cross_sign_der(stranger)}}, old.pem()) == "tls.untrusted");
  }
}

TEST_CASE("what cannot be judged is not trusted") {
  const Authority ca;
  CHECK(verdict({}, ca.pem()) == "tls.untrusted");
  CHECK(verdict({{"not DER"}}, ca.pem()) == "tls.untrusted");
  CHECK(verdict({{ca.server_der()}}, ca.pem(), "") == "tls.name");
  CHECK(verdict({{ca.server_der()}}, ca.pem(), "127.0.0.1") == "ok");
  CHECK(verdict({{ca.server_der()}}, ca.pem(), "127.0.0.2") == "tls.name");
  CHECK(verdict({{ca.server_der()}}, ca.pem(), "localhost.example") == "tls.name");
  CHECK(verdict({{ca.server_der()}}, "") == "tls.ca");
  // A node's certificate is not a server's.
  const auto node = kube::parse_certificates(ca.issue(kube::make_identity()->spki_der, {.names = "DNS:localhost"}));
  CHECK(verdict({{node->front().der}}, ca.pem()) == "tls.untrusted");
}
