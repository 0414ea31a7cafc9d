// PEM bundles and pins: upstream's vectors (kubeadm util/pubkeypin, discovery/token; client-go util/cert) and oddities.
#include "kube/certificate.h"

#include "base/text.h"
#include "golden.h"

using namespace kubejoin;
using namespace kubejoin::kube;

namespace {

const std::string kPinA = "sha256:345959acb2c3b2feb87d281961c893f62a314207ef02599f1cc4a5fb255480b3";
const std::string kPinB = "sha256:d1ef16989563fe7775f81a7dc55ce16a467ca9baedae2d081cb0a068b6a81971";
const std::string kPinC = "sha256:98be2e6d4d8a89aa308fb15de0c07e2531ce549c68dec1687cdd5c06f0826658";

std::string pem_a() { return golden("upstream/pin-a.crt"); }
std::string pem_b() { return golden("upstream/pin-b.crt"); }

// "" when the bundle's keys match one of the pins, else the error's id.
std::string checked(const std::string& pem, std::vector<std::string> pins) {
  const auto bundle = parse_certificates(pem);
  if (!bundle) return bundle.error().id;
  const auto status = check_pins(*bundle, pins);
  return status ? "" : status.error().id;
}

}  // namespace

TEST_CASE("kube::parse_certificates reads what a certificate says") {
  const auto bundle = parse_certificates(pem_a() + pem_b());
  REQUIRE(bundle);
  REQUIRE(bundle->size() == 2);
  CHECK((*bundle)[0].pin == kPinA);
  CHECK((*bundle)[0].common_name == "kubeadm-keypins-test");
  CHECK((*bundle)[0].subject == "CN=kubeadm-keypins-test");
  CHECK((*bundle)[0].organizations.empty());
  CHECK((*bundle)[0].is_ca);
  CHECK(rfc3339((*bundle)[0].not_before) == "2017-07-05T17:43:10.000Z");
  CHECK(rfc3339((*bundle)[0].not_after) == "2117-06-11T17:43:10.000Z");
  CHECK((*bundle)[1].pin == kPinB);
  CHECK((*bundle)[1].organizations == std::vector<std::string>{"Internet Widgits Pty Ltd"});
  CHECK((*bundle)[1].subject == "CN=testCert2,O=Internet Widgits Pty Ltd,ST=Some-State,C=AU");
  for (const char* release : {"1.20", "1.37"}) {
    const auto ca = parse_certificates(golden(std::string(release) + "/ca.crt"));
    REQUIRE(ca);
    CHECK((*ca)[0].pin == trim(golden(std::string(release) + "/ca-pin.txt")));
    CHECK((*ca)[0].common_name == "kubernetes");
  }
}

TEST_CASE("kube::parse_certificates on odd PEM texts") {
  const std::string a = pem_a(), b = pem_b();
  const std::string key = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n";
  const std::string headers =
      replace_all(b, "-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\n");
  const std::string broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const std::string short_der = "-----BEGIN CERTIFICATE-----\n" + a.substr(28, 640) + "\n-----END CERTIFICATE-----\n";
  std::string tail = a;
  tail.insert(tail.find("\n-----END"), "\nAAAA");
  std::string many;
  for (int i = 0; i < 64; ++i) many += a;
  const struct {
    const char* what;
    std::string pem;
    int count;  // 0: refused
  } kCases[] = {
      {"one", a, 1},
      {"two", a + b, 2},
      {"trailing junk", a + "\nABC", 1},
      {"text before and between", "subject=x\n" + a + "issuer=y\n\n" + b, 2},
      {"CR LF", replace_all(a, "\n", "\r\n"), 1},
      {"indented, as a pasted block is", "  " + replace_all(a, "\n", "\n  "), 1},
      {"no final line feed", a.substr(0, a.size() - 1), 1},
      {"another type first", key + a, 1},
      {"a block with headers first", headers + a, 1},
      {"a begin without an end, then a certificate", "-----BEGIN CERTIFICATE-----\n" + a, 1},
      {"64", many, 64},
      {"empty", "", 0},
      {"junk", "hello\nworld\n", 0},
      {"only another type", key, 0},
      {"only a block with headers", headers, 0},
      {"broken DER", broken, 0},
      {"broken DER beside a good one", a + broken, 0},
      {"truncated DER", short_der, 0},
      {"bytes behind the DER", tail, 0},
      {"no base64", "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", 0},
      {"65", many + a, 0},
      {"too long", a + std::string(1 << 20, '\n'), 0},
      {"no end", a.substr(0, 400), 0},
      {"a NUL byte", "-----BEGIN CERTIFICATE-----\n" + std::string(4, '\0') + "\n-----END CERTIFICATE-----\n", 0},
  };
  for (const auto& row : kCases) {
    CAPTURE(row.what);
    const auto bundle = parse_certificates(row.pem);
    if (row.count > 0) {
      REQUIRE(bundle);
      CHECK(bundle->size() == static_cast<std::size_t>(row.count));
    } else {
      REQUIRE_FALSE(bundle);
      CHECK(bundle.error().id == "kube.certificate");
      CHECK(bundle.error().kind == Kind::invalid);
    }
  }
}

TEST_CASE("kube::parse_pin") {
  CHECK(*parse_pin(kPinA) == kPinA);
  CHECK(*parse_pin("SHA256:345959ACB2C3B2FEB87D281961C893F62A314207EF02599F1CC4A5FB255480B3") == kPinA);
  for (const std::string& text :
       {std::string("xyz"), std::string("0011223344"), kPinA + kPinA, std::string(), std::string("sha256:"),
        std::string("sha256:8d"), kPinA + "0", kPinA + "00", "md5:" + kPinA.substr(7), std::string("foo"),
        "sha256:" + std::string(64, 'g'), " " + kPinA}) {
    CAPTURE(text);
    const auto pin = parse_pin(text);
    REQUIRE_FALSE(pin);
    CHECK(pin.error().id == "discovery.pin-format");
  }
}

TEST_CASE("kube::check_pins") {
  const std::string mismatch = "discovery.pin-mismatch", format = "discovery.pin-format";
  CHECK(checked(pem_a(), {}) == mismatch);
  CHECK(checked(pem_a(), {"SHA256:345959ACB2C3B2FEB87D281961C893F62A314207EF02599F1CC4A5FB255480B3"}) == "");
  CHECK(checked(pem_b(), {kPinA}) == mismatch);
  CHECK(checked(pem_a(), {kPinC, kPinA}) == "");  // up to 1.21, the first pin alone was heard
  CHECK(checked(pem_a() + pem_b(), {kPinB}) == "");
  CHECK(checked(pem_a() + pem_b(), {kPinC}) == mismatch);
  CHECK(checked(golden("upstream/pin-c.crt"), {kPinC}) == "");
  CHECK(checked(pem_a(), {kPinA, "foo"}) == format);
  CHECK(checked(golden("1.37/ca.crt"), {std::string(trim(golden("1.37/ca-pin.txt")))}) == "");

  const auto status = check_pins(*parse_certificates(pem_a()), std::vector{kPinB});
  CHECK(status.error().kind == Kind::untrusted);
  CHECK(status.error().message.find(kPinA + " (CN=kubeadm-keypins-test)") != std::string::npos);
  CHECK(status.error().message.find("the pins are " + kPinB) != std::string::npos);
}

// A CA as kubeadm 1.38 makes one by encryptionAlgorithm: ML-DSA-44 (key and signature made with cloudflare/circl 1.6.5).
TEST_CASE("kube::check_keys: a CA whose kind of key cannot be read is named as that, and is pinned like any other") {
  const std::string pem = golden("upstream/ml-dsa-44-ca.crt");
  const auto bundle = parse_certificates(pem);
  REQUIRE(bundle);
  CHECK(bundle->front().foreign_key == "ML-DSA-44");
  CHECK(bundle->front().common_name == "kubernetes");
  CHECK(check_pins(*bundle, std::vector<std::string>{bundle->front().pin}));
  const auto status = check_keys(*bundle);
  REQUIRE_FALSE(status);
  CHECK(status.error().id == "discovery.ca-kind");
  CHECK(status.error().kind == Kind::untrusted);
  CHECK(status.error().message.find("its key is ML-DSA-44") != std::string::npos);
  // While a CA is being replaced there are two.
  CHECK(check_keys(*parse_certificates(pem + pem_a())));
  CHECK(parse_certificates(pem_a())->front().foreign_key.empty());
}
