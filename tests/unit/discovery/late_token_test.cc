// Late-bound tokens: from every place that token.from names, anew each time, and no secret in what is said.
#include "../fake_host.h"
#include "../test.h"
#include "discovery/late_token.h"

using namespace kubejoin;
using namespace kubejoin::discovery;

namespace {

constexpr char kToken[] = "abcdef.0123456789abcdef";
constexpr char kNewToken[] = "fedcba.fedcba9876543210";

ReadMetadata metadata(std::string value) {
  return [value = std::move(value)](const std::string& name, Instant) -> Result<std::string> {
    if (name != "ds.meta_data.join_token") return fail(Kind::machine, "token.no-metadata", "there is no " + name);
    return value;
  };
}

std::string read(Host& host, const std::string& from, const ReadMetadata& reader = {}) {
  const auto token = read_late_token(host, from, reader, Instant::max());
  return token ? std::string(token->expose()) : token.error().id;
}

}  // namespace

TEST_CASE("discovery::read_late_token reads every place, and reads it anew") {
  FakeHost host;
  host.variables["CREDENTIALS_DIRECTORY"] = "/run/credentials/kubejoin.service";
  host.put("/run/credentials/kubejoin.service/join-token", std::string(kToken) + "\n", 0400);
  host.put("/run/secrets/token", "  " + std::string(kToken) + "\r\n", 0600);
  host.answer("GET https://vault.example.com/v1/token?sig=OPENSESAME", {.body = kToken});
  host.answer("GET https://vault.example.com/v1/token?sig=OPENSESAME", {.body = kNewToken});
  CHECK(read(host, "credential:join-token") == kToken);
  CHECK(read(host, "file:/run/secrets/token") == kToken);
  CHECK(read(host, "https://vault.example.com/v1/token?sig=OPENSESAME") == kToken);
  CHECK(read(host, "https://vault.example.com/v1/token?sig=OPENSESAME") == kNewToken);
  CHECK(read(host, "metadata:ds.meta_data.join_token", metadata(kToken)) == kToken);
  host.put("/run/secrets/token", kNewToken);
  CHECK(read(host, "file:/run/secrets/token") == kNewToken);
}

TEST_CASE("discovery::read_late_token says what is wrong with a place, and no secret") {
  FakeHost host;
  CHECK(read(host, "credential:join-token") == "token.no-credentials");
  CHECK(read(host, "metadata:ds.meta_data.other", metadata(kToken)) == "token.no-metadata");
  CHECK(read(host, "metadata:ds.meta_data.join_token") == "config.token-from");
  CHECK(read(host, "gopher:x") == "config.token-from");
  host.put("/run/secrets/token", "OPENSESAME");
  host.put("/run/secrets/long", std::string(5000, 'a'));
  host.answer("GET https://vault.example.com/v1/token", {.status = 503, .headers = {{"retry-after", "7"}}});
  host.answer("GET https://vault.example.com/v1/gone", {.status = 404, .body = "OPENSESAME"});
  host.answer("GET https://vault.example.com/v1/moved", {.status = 302, .headers = {{"location", "https://x/"}}});
  const auto told = [&](const std::string& from) {
    const auto token = read_late_token(host, from, {}, Instant::max());
    REQUIRE_FALSE(token);
    CHECK((token.error().message + token.error().hint).find("OPENSESAME") == std::string::npos);
    return token.error();
  };
  CHECK(told("file:/run/secrets/token").id == "config.token");
  CHECK(told("file:/run/secrets/token").kind == Kind::invalid);
  CHECK(told("file:/run/secrets/long").kind != Kind::unavailable);
  CHECK(told("file:/run/secrets/none").kind == Kind::machine);
  // A server that is not there yet is asked again; how long is the caller's affair.
  const Error busy = told("https://vault.example.com/v1/token?sig=OPENSESAME");
  CHECK(busy.kind == Kind::unavailable);
  CHECK(busy.retry_after == std::chrono::seconds(7));
  CHECK(busy.message.find("https://vault.example.com/v1/token") != std::string::npos);
  CHECK(told("https://vault.example.com/v1/gone?sig=OPENSESAME").kind == Kind::invalid);
  CHECK(told("https://vault.example.com/v1/moved?sig=OPENSESAME").kind == Kind::untrusted);
}
