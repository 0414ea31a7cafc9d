// The metadata client: tokens, retries, limits, and what it refuses.
#include "source/metadata_http.h"

#include "recorded.h"

using namespace kubejoin;
using namespace kubejoin::source;

namespace {

const std::string kBase = "http://169.254.169.254", kBase6 = "http://[fd00::1]";
const SessionToken kToken{.path = "/token", .lifetime = {"Lifetime", "300"}, .header = "Token"};

Protocol plain() { return {.service = "the service", .bases = {kBase}}; }
Protocol with_token() { return {.service = "the service", .bases = {kBase}, .token = kToken}; }

}  // namespace

TEST_CASE("source::MetadataService: what is given, what is not") {
  FakeHost host;
  host.answer("GET " + kBase + "/id", {.body = "7"});
  host.answer("GET " + kBase + "/empty", {.status = 204});
  MetadataService service(host, plain(), soon(host));
  auto answers = service.get({{"/id", true}, {"/absent"}, {"/empty"}});
  REQUIRE(answers.has_value());
  CHECK(*answers == MetadataService::Answers{{"/id", "7"}});
  CHECK(service.url("/id") == kBase + "/id");
  CHECK(host.requests.size() == 3);
}

TEST_CASE("source::MetadataService: a required path may be late") {
  FakeHost host;
  host.answer("GET " + kBase + "/id", {.status = 404});
  host.answer("GET " + kBase + "/id", nobody_there());
  host.answer("GET " + kBase + "/id", {.status = 500});
  host.answer("GET " + kBase + "/id", {.body = "7"});
  host.answer("GET " + kBase + "/data", {.status = 404});
  host.answer("GET " + kBase + "/data", {.status = 404});
  host.answer("GET " + kBase + "/data", {.status = 404});
  host.answer("GET " + kBase + "/data", {.body = "here"});
  MetadataService service(host, plain(), soon(host));
  const auto answers = service.get({{"/id", true}, {"/data"}});
  REQUIRE(answers.has_value());
  CHECK(answers->at("/data") == "here");  // what a service that knew nothing yet said of it does not count
  CHECK(host.count_touches("sleep") == 3);
}

TEST_CASE("source::MetadataService: Retry-After of 429 and 503") {
  for (const int status : {429, 503}) {
    FakeHost host;
    host.answer("GET " + kBase + "/id", {.status = status, .headers = {{"retry-after", "7"}}});
    host.answer("GET " + kBase + "/id", {.body = "7"});
    MetadataService service(host, plain(), soon(host));
    CHECK(service.get({{"/id", true}}).has_value());
    CHECK(host.count_touches("sleep 7") == 1);
  }
  FakeHost host;  // longer than the deadline allows: the wait is cut, and it ends then
  host.answer("GET " + kBase + "/id", {.status = 503, .headers = {{"retry-after", "90"}}});
  const Instant deadline = host.instant + Millis(30'000);
  MetadataService service(host, plain(), deadline);
  const auto answers = service.get({{"/id", true}});
  REQUIRE_FALSE(answers.has_value());
  CHECK(answers.error().kind == Kind::unavailable);
  CHECK(host.instant == deadline);
}

TEST_CASE("source::MetadataService: the deadline ends it") {
  FakeHost host;
  host.answer("GET " + kBase + "/id", nobody_there());
  const Instant deadline = host.instant + Millis(20'000);
  MetadataService service(host, plain(), deadline);
  const auto answers = service.get({{"/id", true}});
  REQUIRE_FALSE(answers.has_value());
  CHECK(answers.error().id == "http.unreachable");
  CHECK(answers.error().message.find("read the service") != std::string::npos);
  CHECK(host.instant <= deadline);

  host.route_in.reset();
  CHECK(id_of(service.get({{"/id", true}})) == "net.no-route");
}

TEST_CASE("source::MetadataService: a session token is got, sent, and renewed once") {
  FakeHost host;
  host.answer("PUT " + kBase + "/token", {.body = "first\n"});
  host.answer("PUT " + kBase + "/token", {.body = "second"});
  host.answer("GET " + kBase + "/id", {.body = "7"});
  host.answer("GET " + kBase + "/id", {.status = 401});
  host.answer("GET " + kBase + "/id", {.body = "8"});
  MetadataService service(host, with_token(), soon(host));
  CHECK(service.get({{"/id", true}})->at("/id") == "7");
  CHECK(host.requests[0].headers == Headers{{"Lifetime", "300"}});
  CHECK(host.requests[1].headers == Headers{{"Token", "first"}});
  CHECK(service.get({{"/id", true}})->at("/id") == "8");
  CHECK(host.requests.back().headers == Headers{{"Token", "second"}});
  CHECK(host.count_touches("sleep") == 0);

  FakeHost deaf;  // whatever the token
  deaf.answer("PUT " + kBase + "/token", {.body = "token"});
  deaf.answer("GET " + kBase + "/id", {.status = 401});
  MetadataService other(deaf, with_token(), soon(deaf));
  CHECK(id_of(other.get({{"/id", true}})) == "source.disabled");
  CHECK(deaf.requests.size() == 4);
  CHECK(deaf.count_touches("sleep") == 0);
}

TEST_CASE("source::MetadataService: no token, no question") {
  struct Refusal {
    int status;
    Kind kind;
    const char* id;
  };
  for (const auto& refusal : {Refusal{403, Kind::unfit, "source.disabled"}, Refusal{400, Kind::machine, "source.status"}, Refusal{405, Kind::machine, "source.status"}}) {
    FakeHost host;
    host.answer("PUT " + kBase + "/token", {.status = refusal.status});
    MetadataService service(host, with_token(), soon(host));
    const auto answers = service.get({{"/id", true}});
    REQUIRE_FALSE(answers.has_value());
    CHECK(answers.error().kind == refusal.kind);
    CHECK(answers.error().id == refusal.id);
    CHECK(host.requests.size() == 1);
    CHECK(host.count_touches("sleep") == 0);
  }
  FakeHost busy;
  busy.answer("PUT " + kBase + "/token", {.status = 503});
  busy.answer("PUT " + kBase + "/token", {.body = "token"});
  busy.answer("GET " + kBase + "/id", {.body = "7"});
  MetadataService service(busy, with_token(), soon(busy));
  CHECK(service.get({{"/id", true}}).has_value());
  CHECK(busy.count_touches("sleep") == 1);
}

TEST_CASE("source::MetadataService: of two addresses the one that answers is asked for the rest") {
  for (const auto& base : {kBase, kBase6}) {
    FakeHost host;
    host.route_in.reset();  // which has one is not known before asking
    host.on_request = [](const HttpRequest&) { return nobody_there(); };
    host.answer("GET " + base + "/id", {.body = "7"});
    host.answer("GET " + base + "/data", {.body = "here"});
    MetadataService service(host, {.service = "the service", .bases = {kBase, kBase6}}, soon(host));
    const auto answers = service.get({{"/id", true}, {"/data"}});
    REQUIRE(answers.has_value());
    CHECK(answers->at("/data") == "here");
    CHECK(service.url("") == base);
  }
  FakeHost host;
  host.answer("PUT " + kBase6 + "/token", nobody_there());
  host.answer("PUT " + kBase + "/token", {.status = 403});
  MetadataService service(host, {.service = "the service", .bases = {kBase6, kBase}, .token = kToken}, soon(host));
  CHECK(service.get({{"/id", true}}).error().id == "source.disabled");  // not the other one's silence
}

TEST_CASE("source::MetadataService: redirects and floods are refused") {
  for (const int status : {301, 302, 307, 308}) {
    FakeHost host;
    host.answer("GET " + kBase + "/id", {.status = status, .headers = {{"location", "http://203.0.113.1/id"}}});
    MetadataService service(host, plain(), soon(host));
    const auto answers = service.get({{"/id", true}});
    REQUIRE_FALSE(answers.has_value());
    CHECK(answers.error().kind == Kind::untrusted);
    CHECK(answers.error().id == "source.redirect");
    CHECK(host.requests.size() == 1);
  }
  FakeHost host;
  host.answer("GET " + kBase + "/id", {.body = std::string((1 << 20) + 1, 'x')});
  MetadataService service(host, plain(), soon(host));
  CHECK(service.get({{"/id", true}}).error().id == "http.too-large");
  CHECK(host.count_touches("sleep") == 0);
}
