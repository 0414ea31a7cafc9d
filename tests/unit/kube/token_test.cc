// Bootstrap tokens and JWS: upstream's vectors (cluster-bootstrap token/util, token/jws, kubeadm bootstraptokenstring),
// and our own.
#include "kube/token.h"

#include "golden.h"
#include "kube/objects.h"

using namespace kubejoin;
using namespace kubejoin::kube;

TEST_CASE("kube::parse_token") {
  for (const char* text : {"abcdef.1234567890123456", "123456.aabbccddeeffgghh", "abcdef.abcdef0123456789",
                           "123456.1234560123456789", "772ef5.6b6baab1d4a0a171"}) {
    CAPTURE(text);
    const auto token = parse_token(Secret(text));
    REQUIRE(token);
    CHECK(token->id == std::string(text).substr(0, 6));
    CHECK(token->secret == Secret(std::string(text).substr(7)));
  }
  for (const char* text : {"", ".", "1234567890123456789012", "12345.1234567890123456", ".1234567890123456", "123456.",
                           "123456:1234567890.123456", "abcdef:1234567890123456", "Abcdef.1234567890123456",
                           "123456.AABBCCDDEEFFGGHH", "123456.AABBCCD-EEFFGGHH", "abc*ef.1234567890123456",
                           "ABCDEF.abcdef0123456789", ".6b6baab1d4a0a171", "772ef5.", "abcdef.1234567890123456@foobar",
                           " abcdef.1234567890123456", "abcdef.1234567890123456\n", "abcdef.123456789012345\xC3"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_token(Secret(text)));
  }
  CHECK_FALSE(parse_token(Secret(std::string("abcdef.123456789012345\0", 23))));
}

TEST_CASE("kube::jws") {
  constexpr const char* kHello = "Hello from the other side. I must have called a thousand times.";
  const struct {
    const char *id, *secret, *payload, *detached;
  } kVectors[] = {
      {"joshua", "my voice is my passcode", kHello,
       "eyJhbGciOiJIUzI1NiIsImtpZCI6Impvc2h1YSJ9..VShe2taLd-YTrmWuRkcL_8QTNDHYxQIEBsAYYiIj1_8"},
      {"joshua", "my voice is my passcode", "",
       "eyJhbGciOiJIUzI1NiIsImtpZCI6Impvc2h1YSJ9..7Ui1ALizW4jXphVUB7xUqC9vLYLL9RZeOFfVLoB7Tgk"},
      {"joshua", "", kHello, "eyJhbGciOiJIUzI1NiIsImtpZCI6Impvc2h1YSJ9..UfkqvDGiIFxrMnFseDj9LYJOLNrvjW8aHhF71mvvAs8"},
      {"abcdef", "0123456789abcdef", "apiVersion: v1\nkind: Config\n",
       "eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9..vH_kT4yiol-nrAWgjfCYqvum5wsKETXe0S7OOp1VgnE"},
  };
  for (const auto& vector : kVectors) {
    CAPTURE(vector.detached);
    const Token token{vector.id, Secret(vector.secret)};
    const std::string detached = vector.detached;
    CHECK(jws_sign(vector.payload, token) == detached);
    CHECK(jws_verify(vector.payload, detached, token));
    CHECK_FALSE(jws_verify(vector.payload, detached + "foo", token));
    CHECK_FALSE(jws_verify(vector.payload, detached.substr(0, detached.size() - 1), token));
    CHECK_FALSE(jws_verify(vector.payload, "", token));
    CHECK_FALSE(jws_verify(std::string(vector.payload) + "\n", detached, token));
    CHECK_FALSE(jws_verify(vector.payload, detached, Token{"another", Secret(vector.secret)}));
    CHECK_FALSE(jws_verify(vector.payload, detached, Token{vector.id, Secret("another")}));
  }
}

TEST_CASE("kube::jws of whole clusters") {
  const auto token = parse_token(Secret("abcdef.0123456789abcdef"));
  REQUIRE(token);
  for (const char* release : {"1.20", "1.37"}) {
    CAPTURE(release);
    const auto map = parse_config_map(golden(std::string(release) + "/cluster-info.json"));
    REQUIRE(map);
    const std::string& payload = map->data.at("kubeconfig");
    CHECK(jws_verify(payload, map->data.at("jws-kubeconfig-abcdef"), *token));
    CHECK_FALSE(jws_verify(payload + " ", map->data.at("jws-kubeconfig-abcdef"), *token));
  }
  // kubeadm discovery/token/token_test.go
  const auto other = parse_token(Secret("123456.abcdef1234567890"));
  CHECK(jws_verify(golden("upstream/cluster-info.kubeconfig"),
                   "eyJhbGciOiJIUzI1NiIsImtpZCI6IjEyMzQ1NiJ9..vfn-3PBhe54VW7uElQv4Kx8dxpqquZ8QGlBArxYLBac", *other));
}
