// What is taken for a secret in a text, and what is not.
#include <doctest/doctest.h>

#include "images.h"

namespace kubejoin {
namespace {

std::string with_token(const std::string& before, const std::string& after = "") { return before + kTokenInImage + after; }
bool finds_token(const std::string& text) { return !image::look_for_tokens(text).empty(); }
bool finds_key(const std::string& text) { return !image::look_for_private_keys(text).empty(); }

const std::string kKeyBody = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n";

TEST_CASE("secrets: a bootstrap token wherever it stands alone") {
  for (const std::string& text :
       {with_token(""), with_token("token: "), with_token("token: \"", "\"\n"), with_token("--token="), with_token("a\n\nkubeadm join --token ", " 10.0.0.1:6443"), with_token("Bearer ", "."),
        with_token("(", ")"), with_token("{\"token\":\"", "\"}")})
    CHECK_MESSAGE(finds_token(text), text);
  CHECK(finds_token("token: abcdxy.qwertyuiopasdfgh"));  // no digit, but the line says what it is
}

TEST_CASE("secrets: what only looks like a token is none") {
  for (const std::string& text : {
           std::string("abcdef.0123456789abcdef"),             // kubeadm's example: everybody knows it
           std::string("see abcdef.internationalise here"),    // words
           with_token("x"), with_token("", "x"), with_token("a.", ""), with_token("-"), with_token("_"), with_token("/"),
           with_token("", ".js"), with_token("", "-1"), with_token("", "/x"),
           std::string("q7w3fz.5kd0c8x2m6n1v9b"), std::string("Q7W3FZ.5KD0C8X2M6N1V9B4"), std::string("q7w3fz 5kd0c8x2m6n1v9b4"), std::string("."), std::string("")})
    CHECK_MESSAGE(!finds_token(text), text);
}

TEST_CASE("secrets: of a token its id is told, never its secret") {
  const auto spots = image::look_for_tokens(with_token("\n\ntoken: ", "\n"));
  REQUIRE(spots.size() == 1);
  CHECK(spots[0].what == "bootstrap token q7w3fz.…");
  CHECK(spots[0].at == 9);
}

TEST_CASE("secrets: service-account tokens") {
  const std::string jwt = "eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9.eyJpc3MiOiJrdWJlcm5ldGVzL3NlcnZpY2VhY2NvdW50In0.c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmUtc2lnbmF0dXJl";
  CHECK(finds_token("    token: " + jwt + "\n"));
  CHECK(!finds_token("eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9.eyJpc3MiOiJrdWJlcm5ldGVz"));
  CHECK(!finds_token("eyJ eyJ.eyJ.eyJ"));
}

TEST_CASE("secrets: private keys with their content") {
  for (const char* kind : {"", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "})
    CHECK_MESSAGE(finds_key("x\n-----BEGIN " + std::string(kind) + "PRIVATE KEY-----\n" + kKeyBody), kind);
  CHECK(finds_key("key: \"-----BEGIN PRIVATE KEY-----\\n" + kKeyBody + "\""));
  CHECK(finds_key("    client-key-data: LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tCk1IY0NBUUVFSU\n"));
  CHECK(finds_key("{\"client-key-data\": \"LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tCk1IY0NBUUVFSU\"}"));
  CHECK(finds_key("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n" + kKeyBody));
  CHECK(finds_key("# age\nAGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n"));
  CHECK(finds_key("[WireGuard]\nPrivateKey=yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n"));
  CHECK(finds_key("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n"));
  CHECK(!finds_key("PrivateKey=\nPrivateKey=/etc/key\nPrivateKeyFile=/etc/systemd/wg.key\n"));
  CHECK(!finds_key("grep -q -e '-----BEGIN PRIVATE KEY-----' \"$file\"\n"));
  CHECK(!finds_key("-----BEGIN CERTIFICATE-----\n" + kKeyBody));
  CHECK(!finds_key("-----BEGIN PUBLIC KEY-----\n" + kKeyBody));
  CHECK(!finds_key("client-key-data: \n"));
  CHECK(!finds_key("client-key: /var/lib/kubelet/pki/kubelet-client-current.pem\n"));
}

TEST_CASE("secrets: any bytes are safe to look at") {
  std::uint64_t chance = 0x9E3779B97F4A7C15;
  const std::string alphabet = "ab0.9-\n \"eyJ:PRIVATE KEY-----BEGIN token\0\xff";
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (int i = 0; i < 80; ++i) {
      chance = chance * 6364136223846793005ULL + 1442695040888963407ULL;
      text += alphabet[(chance >> 33) % alphabet.size()];
    }
    for (const image::Spot& spot : image::look_for_tokens(text)) CHECK(spot.at < text.size());
    for (const image::Spot& spot : image::look_for_private_keys(text)) CHECK(spot.at < text.size());
  }
}

TEST_CASE("secrets: files are searched where a build writes, by line; binaries, packages' own and languages' modules are not") {
  FakeHost host;
  put_sealed_image(host);
  const std::string text = "one\ntwo " + std::string(kTokenInImage) + "\n";
  for (const char* path : {"/etc/app/config", "/root/x/y/z", "/home/ops/notes", "/var/lib/app/state", "/opt/a", "/srv/b", "/usr/local/bin/join", "/usr/lib/kubejoin/join.yaml", "/boot/loader/entries/a.conf"})
    host.put(path, text);
  for (const char* path : {"/usr/share/doc/kubeadm/README", "/var/lib/dpkg/info/kubeadm.postinst", "/var/lib/containerd/x/layer/README", "/usr/local/lib/python3.11/dist-packages/t/test.py",
                           "/opt/app/node_modules/x/test.js", "/proc/1/environ"})
    host.put(path, text);
  host.put("/opt/binary", std::string("\x7f" "ELF\0", 5) + text);
  host.put("/opt/large", std::string((4 << 20) + 1, 'x'));
  image::Image image{host, "/image"};
  const image::Search search = image::find_traces(image);
  CHECK(found(search.findings) == std::vector<std::string>{"tokens /etc/app/config", "tokens /root/x/y/z", "tokens /home/ops/notes", "tokens /var/lib/app/state", "tokens /opt/a", "tokens /srv/b",
                                                           "tokens /usr/local/bin/join", "tokens /usr/lib/kubejoin/join.yaml", "tokens /boot/loader/entries/a.conf"});
  CHECK(search.findings.front().line == 2);
  CHECK(search.unsearched == std::vector<std::string>{"/opt/large"});
  CHECK(search.files_searched > 9);
}

}  // namespace
}  // namespace kubejoin
