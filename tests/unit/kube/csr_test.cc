// The node's key, request and certificate: against the RFC 6979 key, against what real kubelets sent, and against
// forged certificates.
#include "kube/csr.h"

#include <openssl/ec.h>
#include <openssl/pem.h>

#include "../authority.h"
#include "base/text.h"
#include "golden.h"
#include "kube/certificate.h"
#include "kube/openssl.h"

using namespace kubejoin;
using namespace kubejoin::kube;
using std::chrono::hours;

namespace {

// RFC 6979 A.2.5: a published key that guards nothing. Scalar C9AFA9D8…6721.
const Secret kRfcKey(
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEIMmvqdhFunUWa1whV2ex1pNOUMPbNuibEnuKYisSD2choAoGCCqGSM49\n"
    "AwEHoUQDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8\n"
    "maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n"
    "-----END EC PRIVATE KEY-----\n");
const Secret kRfcKeyPkcs8(
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX\n"
    "Z7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth\n"
    "+mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ\n"
    "-----END PRIVATE KEY-----\n");
constexpr const char* kRfcSpki =
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A_4QCLi8maQa6elWKLxk8vGyDC1-"
    "n1F3o8KU1EYimQ";
constexpr std::size_t kSpkiSize = 91;  // of every P-256 key

std::string der_of_pem(const std::string& pem) {
  const std::size_t begin = pem.find('\n') + 1, end = pem.find("-----END");
  return base64_decode(pem.substr(begin, end - begin)).value();
}

// The part of a request that is signed: CertificationRequestInfo, of less than 256 bytes.
std::string signed_part(const std::string& csr_pem) {
  const std::string der = der_of_pem(csr_pem).substr(3);  // behind 30 81 NN
  REQUIRE(der.substr(0, 2) == "\x30\x81");
  return der.substr(0, 3 + static_cast<unsigned char>(der[2]));
}

std::size_t spki_at(const std::string& der) {
  return der.find(base64_decode("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE").value());
}

}  // namespace

TEST_CASE("kube::parse_identity") {
  for (const Secret* pem : {&kRfcKey, &kRfcKeyPkcs8}) {
    const auto identity = parse_identity(*pem);
    REQUIRE(identity);
    CHECK(base64url(identity->spki_der) == kRfcSpki);
    CHECK(identity->key_pem == kRfcKey);  // always stored as SEC1
  }
  const Secret beside(golden("upstream/pin-a.crt") + std::string(kRfcKey.expose()));
  CHECK(parse_identity(beside)->key_pem == kRfcKey);

  const PkeyPtr p384(EVP_EC_gen("P-384"));
  const BioPtr out = write_to_memory(), encrypted = write_to_memory();
  PEM_write_bio_PrivateKey(out.get(), p384.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char passphrase[] = "secret";
  PEM_write_bio_PrivateKey(encrypted.get(), p384.get(), EVP_aes_128_cbc(), nullptr, 0, nullptr, passphrase);
  for (const Secret& text :
       {Secret(), Secret("junk"), Secret(std::string(kRfcKey.expose().substr(0, 120))), Secret(written(out.get())),
        Secret(written(encrypted.get())), Secret(golden("upstream/pin-a.crt"))}) {
    const auto identity = parse_identity(text);
    REQUIRE_FALSE(identity);
    CHECK(identity.error().id == "kube.key");
    CHECK(identity.error().kind == Kind::machine);
  }
}

TEST_CASE("kube::make_identity makes a new P-256 key every time") {
  const auto one = make_identity(), two = make_identity();
  REQUIRE(one);
  REQUIRE(two);
  CHECK(one->spki_der.size() == kSpkiSize);
  CHECK(one->spki_der != two->spki_der);
  CHECK(one->key_pem.expose().starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
  CHECK(parse_identity(one->key_pem)->spki_der == one->spki_der);
}

TEST_CASE("kube::csr_name") {
  const std::string spki = parse_identity(kRfcKey)->spki_der;
  const std::string two[] = {"digital signature", "client auth"};
  CHECK(csr_name(spki, "worker-1", kNodeUsages) == "node-csr--aBWq9T8-4cnk14mZ7lKWIt-EGV5toFg71oqjwpLqTA");
  CHECK(csr_name(spki, "worker-1", two) == "node-csr-F5F-QQPnMrAvcAUWj0YT3oumnVd_q7IAN2Z8LV6Rdkk");
  CHECK(csr_name(spki, "worker-2", kNodeUsages) != csr_name(spki, "worker-1", kNodeUsages));
}

TEST_CASE("kube::make_csr differs from a kubelet's in key and signature alone") {
  const auto identity = parse_identity(kRfcKey);
  const auto pem = make_csr(*identity, "node1");
  REQUIRE(pem);
  CHECK(pem->starts_with("-----BEGIN CERTIFICATE REQUEST-----\n"));
  for (const char* release : {"1.20", "1.37"}) {
    CAPTURE(release);
    std::string theirs = signed_part(parse_csr(golden(std::string(release) + "/csr-issued.v1.json"))->request);
    theirs.replace(spki_at(theirs), kSpkiSize, identity->spki_der);
    CHECK(hex(signed_part(*pem)) == hex(theirs));
  }
  // ecdsa-with-SHA256
  CHECK(hex(der_of_pem(*pem)).find("300a06082a8648ce3d040302") != std::string::npos);
  CHECK_FALSE(make_csr(Identity{}, "node1"));
}

TEST_CASE("kube::csr_object") {
  CHECK(csr_object("node-csr-x", "pem\n", "certificates.k8s.io/v1") ==
        R"({"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest","metadata":{"name":"node-csr-x"},)"
        R"("spec":{"request":"cGVtCg==","signerName":"kubernetes.io/kube-apiserver-client-kubelet",)"
        R"("usages":["digital signature","key encipherment","client auth"]}})");
  CHECK(
      csr_object("n", "", "certificates.k8s.io/v1beta1").starts_with(R"({"apiVersion":"certificates.k8s.io/v1beta1")"));
}

TEST_CASE("kube::check_compatible") {
  const auto identity = parse_identity(kRfcKey), other = make_identity();
  Csr csr;
  csr.name = "node-csr-x";
  csr.signer_name = std::string(kNodeSigner);
  csr.request = *make_csr(*identity, "node1");
  CHECK(check_compatible(csr, *identity, "node1"));
  Csr without_signer = csr;
  without_signer.signer_name.clear();
  CHECK(check_compatible(without_signer, *identity, "node1"));  // before 1.18

  const auto refused = [&](Csr changed, const Identity& ours, const std::string& node, const char* why) {
    CAPTURE(why);
    const auto status = check_compatible(changed, ours, node);
    REQUIRE_FALSE(status);
    CHECK(status.error().id == "bootstrap.csr-incompatible");
    CHECK(status.error().message.find(why) != std::string::npos);
  };
  refused(csr, *other, "node1", "not signed by this node's key");
  refused(csr, *identity, "node2", "subject");
  Csr changed = csr;
  changed.signer_name = "example.com/signer";
  refused(changed, *identity, "node1", "its signer is \"example.com/signer\"");
  changed = csr;
  changed.request = "junk";
  refused(changed, *identity, "node1", "malformed");
}

TEST_CASE("kube::check_issued on real ones") {
  for (const char* release : {"1.20", "1.37"}) {
    CAPTURE(release);
    const auto csr = parse_csr(golden(std::string(release) + "/csr-issued.v1.json"));
    const std::string ca = golden(std::string(release) + "/ca.crt");
    const Certificate leaf = parse_certificates(csr->certificate)->at(0);
    Identity identity;
    identity.spki_der = leaf.der.substr(spki_at(leaf.der), kSpkiSize);
    CHECK(check_issued(csr->certificate, identity, "node1", ca, leaf.not_before + hours(1)));
    CHECK_FALSE(
        check_issued(csr->certificate, identity, "node1", golden("upstream/pin-c.crt"), leaf.not_before + hours(1)));
  }
}

TEST_CASE("kube::check_issued") {
  const Authority authority, stranger;
  using Issue = Authority::Wish;
  const auto identity = parse_identity(kRfcKey), other = make_identity();
  const WallTime now = std::chrono::system_clock::now();
  const auto verdict = [&](const std::string& pem, const std::string& ca) -> std::string {
    const auto status = check_issued(pem, *identity, "node1", ca, now);
    if (status) return "";
    CHECK(status.error().id == "bootstrap.certificate");
    CHECK(status.error().kind == Kind::untrusted);
    return status.error().message;
  };
  const auto issued = [&](auto change) {
    Issue issue;
    change(issue);
    return authority.issue(identity->spki_der, issue);
  };
  const std::string good = issued([](Issue&) {});
  CHECK(verdict(good, authority.pem()) == "");
  CHECK(verdict(good + authority.pem(), authority.pem()) == "");
  CHECK(verdict(good, stranger.pem() + authority.pem()) == "");

  const struct {
    const char* what;
    std::string pem, ca;
    const char* says;
  } kRows[] = {
      {"of a stranger", stranger.issue(identity->spki_der, Issue()), authority.pem(), "does not vouch"},
      {"the leaf trusted by itself", stranger.issue(identity->spki_der, Issue()),
       stranger.issue(identity->spki_der, Issue()) + authority.pem(), ""},
      {"for another key", authority.issue(other->spki_der, Issue()), authority.pem(), "another key"},
      {"for another node", issued([](Issue& i) { i.common_name = "system:node:node2"; }), authority.pem(),
       "its subject is"},
      {"for no node", issued([](Issue& i) { i.common_name = "admin"; }), authority.pem(), "its subject is"},
      {"for another group", issued([](Issue& i) { i.organization = "system:masters"; }), authority.pem(),
       "its subject is"},
      {"for one group more", issued([](Issue& i) { i.second_organization = "system:masters"; }), authority.pem(),
       "its subject is"},
      {"a CA", issued([](Issue& i) { i.is_ca = true; }), authority.pem(), "CA:TRUE"},
      {"for servers, too", issued([](Issue& i) { i.usage = "clientAuth,serverAuth"; }), authority.pem(), "more than client authentication: TLS Web Server"},
      {"for anything", issued([](Issue& i) { i.usage = "clientAuth,anyExtendedKeyUsage"; }), authority.pem(), "more than client authentication"},
      {"for something of their own", issued([](Issue& i) { i.usage = "clientAuth,1.2.3.4"; }), authority.pem(), "more than client authentication: 1.2.3.4"},
      {"without a limit", issued([](Issue& i) { i.usage = ""; }), authority.pem(), "not limited to client authentication"},
      {"to sign certificates", issued([](Issue& i) { i.key_usage = "digitalSignature,keyCertSign"; }), authority.pem(), "key usage"},
      {"to sign lists", issued([](Issue& i) { i.key_usage = "digitalSignature,cRLSign"; }), authority.pem(), "key usage"},
      {"with key encipherment", issued([](Issue& i) { i.key_usage = "digitalSignature,keyEncipherment"; }), authority.pem(), ""},
      {"for servers", issued([](Issue& i) { i.usage = "serverAuth"; }), authority.pem(), "more than client authentication"},
      {"expired", issued([&](Issue& i) {
         i.to = now - hours(1);
         i.from = now - hours(2);
       }),
       authority.pem(), "has expired at"},
      {"of the future", issued([&](Issue& i) {
         i.from = now + hours(1);
         i.to = now + hours(2);
       }),
       authority.pem(), "not valid before"},
      {"empty", "", authority.pem(), "there is none"},
      {"with an empty CA", good, "", "the cluster's CA"},
      {"the chain upside down", authority.pem() + good, authority.pem(), "another key"},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.what);
    CHECK(verdict(row.pem, row.ca).find(row.says) != std::string::npos);
  }
}
