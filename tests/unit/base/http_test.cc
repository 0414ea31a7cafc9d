// The HTTP session against a real server: whom it believes, what it sends to whom, and what it does with answers.
#include "base/http.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "../test.h"
#include "base/curl_session.h"
#include "base/host.h"
#include "test_server.h"

using namespace kubejoin;
using Trust = HttpOptions::Trust;

namespace {

Reply hello(const Seen&) { return {.body = "hello"}; }

std::unique_ptr<HttpSession> session(HttpOptions options) {
  options.use_proxy = false;
  return make_curl_session(std::move(options), -1);
}
std::unique_ptr<HttpSession> trusting(const Identity& ca, int redirects = 0) {
  return session({.trust = Trust::given, .ca_pem = ca.certificate, .https_redirects = redirects});
}
std::unique_ptr<HttpSession> pending() { return session({.trust = Trust::pending}); }

HttpRequest get(const std::string& url) { return {.url = url}; }
HttpRequest with_bearer(const std::string& url) { return {.url = url, .bearer = Secret("abcdef.0123456789abcdef")}; }

std::string body_of(const Result<HttpResponse>& answer) { return answer ? answer->body : id_of(answer); }

}  // namespace

TEST_CASE("a connection made before trust carries on after it was proven") {
  const Identity ca = make_ca("kubernetes");
  const struct {
    bool offered, unwanted, spoken;
  } kRows[] = {{false, false, false}, {true, false, true}, {true, true, false}};
  for (const auto& row : kRows) {
    CAPTURE(row.offered);
    CAPTURE(row.unwanted);
    TestServer server({.identity = make_leaf(ca), .http2 = row.offered}, hello);
    const auto api = session({.trust = HttpOptions::Trust::pending, .http1 = row.unwanted});
    CHECK(body_of(api->run_one(get(server.url("/api/v1/namespaces/kube-public/configmaps/cluster-info")))) == "hello");
    REQUIRE(api->peer().der.size() == 1);
    CHECK(outcome(api->trust(ca.certificate, server.url("/"))) == "ok");
    CHECK(body_of(api->run_one(with_bearer(server.url("/api")))) == "hello");
    CHECK(api->connections() == 1);
    CHECK(server.connections() == 1);
    CHECK(server.seen().at(0).headers.count("authorization") == 0);
    CHECK((server.seen().at(0).headers.count("host") == 0) == row.spoken);  // HTTP/2 has :authority
    CHECK(server.seen().at(0).headers.at("user-agent") == "kubejoin/" KUBEJOIN_VERSION);
    CHECK(server.seen().at(1).headers.at("authorization") == "Bearer abcdef.0123456789abcdef");
  }
}

TEST_CASE("while trust is pending, no bearer is sent, to nobody, and once it is proven only one server is asked") {
  const Identity ca = make_ca("kubernetes");
  TestServer server({.identity = make_leaf(ca)}, hello), other({.identity = make_leaf(ca)}, hello), plain({}, hello);
  const auto api = pending();
  CHECK(id_of(api->run_one(with_bearer(server.url("/")))) == "http.unverified");
  CHECK(api->run_one(with_bearer(server.url("/"))).error().kind == Kind::internal);
  CHECK(server.connections() == 0);
  CHECK(body_of(api->run_one(get(server.url("/")))) == "hello");
  CHECK(id_of(api->run_one(get(plain.url("/")))) == "http.origin");
  CHECK(body_of(api->run_one(get(other.url("/")))) == "hello");
  REQUIRE(outcome(api->trust(ca.certificate, server.url("/"))) == "ok");
  // The connection to the other one is open still, and unverified.
  CHECK(id_of(api->run_one(with_bearer(other.url("/")))) == "http.origin");
  CHECK(id_of(api->run_one(get(plain.url("/")))) == "http.origin");
  CHECK(body_of(api->run_one(with_bearer(server.url("/")))) == "hello");
  CHECK(other.seen().size() == 1);
  CHECK(plain.connections() == 0);
  // Nor ever over plain HTTP.
  CHECK(id_of(trusting(ca)->run_one(with_bearer(plain.url("/")))) == "http.unverified");
}

TEST_CASE("while trust is pending there is one connection at a time, so that trust() proves the one in use") {
  const Identity ca = make_ca("kubernetes");
  TestServer server({.identity = make_leaf(ca)}, hello);
  const auto api = pending();
  std::vector<HttpRequest> batch(4, get(server.url("/")));
  for (const auto& answer : api->run(batch)) CHECK(body_of(answer) == "hello");
  CHECK(server.connections() == 1);
}

TEST_CASE("a race: the next server is asked after a moment or after a failure, and a handler ends it") {
  const Identity ca = make_ca("kubernetes"), stranger = make_ca("stranger");
  TestServer silent({.identity = make_leaf(ca)}, [](const Seen&) { return Reply{.silent = true}; });
  TestServer server({.identity = make_leaf(ca)}, hello), last({.identity = make_leaf(stranger)}, hello);
  std::string dead;
  { dead = TestServer({}, hello).url("/", "localhost").replace(0, 4, "https"); }
  std::vector<std::string> heard;
  const auto contender = [&](const std::string& url, int start_after) {
    HttpRequest request{.url = url, .start_after = std::chrono::milliseconds(start_after)};
    request.on_done = [&heard, url](const Result<HttpResponse>& answer) {
      heard.push_back(url);
      return answer ? Flow::stop : Flow::go_on;
    };
    return request;
  };
  const auto api = pending();
  // Nobody waits for the silent one's 10 s, nor a minute for the third: the second is due, the first of all to answer.
  const auto began = std::chrono::steady_clock::now();
  auto answers = api->run({contender(silent.url("/"), 0), contender(server.url("/"), 50), contender(last.url("/"), 60'000)});
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
  CHECK(id_of(answers[0]) == "http.cancelled");
  CHECK(body_of(answers[1]) == "hello");
  CHECK(id_of(answers[2]) == "http.cancelled");
  CHECK(heard == std::vector<std::string>{server.url("/")});
  CHECK(last.connections() == 0);
  CHECK(outcome(api->trust(ca.certificate, server.url("/"))) == "ok");
  CHECK(body_of(api->run_one(with_bearer(server.url("/")))) == "hello");
  CHECK(api->connections() == 2);

  // A dead one passes its turn on at once.
  const auto other = pending();
  answers = other->run({contender(dead, 0), contender(last.url("/"), 60'000)});
  CHECK(id_of(answers[0]) == "http.unreachable");
  CHECK(body_of(answers[1]) == "hello");
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(30));
  // What one server showed proves nothing of another.
  CHECK(id_of(other->trust(ca.certificate, last.url("/"))) == "tls.untrusted");
}

TEST_CASE("trust is refused for a wrong CA, a wrong name, a wrong time, and the connection ends") {
  const Identity ca = make_ca("kubernetes"), stranger = make_ca("stranger");
  struct Row {
    LeafWish wish;
    const Identity& given;
    std::string id, says;
  };
  const Row rows[] = {
      {{}, stranger, "tls.untrusted", "issuer \"CN=kubernetes\""},
      {{.names = "DNS:kubernetes.default,IP:10.96.0.1,IP:fd00::1"},
       ca,
       "tls.name",
       "is not for \"127.0.0.1\" but for kubernetes.default, 10.96.0.1, fd00:0:0:0:0:0:0:1"},
      {{.names = ""}, ca, "tls.name", "but for no name at all"},
      {{.valid_from = -7200, .valid_to = -3600}, ca, "tls.expired", "expired on 20"},
      {{.valid_from = 3600, .valid_to = 7200}, ca, "tls.not-yet-valid", "is not valid before 20"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.id);
    TestServer server({.identity = make_leaf(ca, row.wish)}, hello);
    // First seen, then judged.
    const auto api = pending();
    REQUIRE(body_of(api->run_one(get(server.url("/")))) == "hello");
    const Status refused = api->trust(row.given.certificate, server.url("/"));
    REQUIRE(id_of(refused) == row.id);
    CHECK(refused.error().kind == Kind::untrusted);
    CHECK(refused.error().message.find(row.says) != std::string::npos);
    CHECK(!refused.error().hint.empty());
    CHECK(id_of(api->run_one(with_bearer(server.url("/")))) == "http.unverified");
    // Judged in the handshake.
    const auto direct = trusting(row.given);
    const auto answer = direct->run_one(with_bearer(server.url("/")));
    REQUIRE(id_of(answer) == row.id);
    CHECK(answer.error().kind == Kind::untrusted);
    CHECK(server.seen().size() == 1);  // the bearer did not leave the machine
  }
}

TEST_CASE("every later connection is verified from its start") {
  const Identity ca = make_ca("kubernetes"), stranger = make_ca("stranger");
  TestServer server({.identity = make_leaf(ca)}, hello);
  const auto api = pending();
  REQUIRE(body_of(api->run_one(get(server.url("/")))) == "hello");
  REQUIRE(outcome(api->trust(ca.certificate, server.url("/"))) == "ok");
  server.present(make_leaf(stranger));
  server.drop_connections();
  // curl may learn of the dropped connection only when it uses it: then that exchange fails, and the next one is the
  // verified handshake.
  auto answer = api->run_one(with_bearer(server.url("/secret")));
  if (id_of(answer) == "http.unreachable") answer = api->run_one(with_bearer(server.url("/secret")));
  CHECK(id_of(answer) == "tls.untrusted");
  for (const Seen& seen : server.seen()) CHECK(seen.path != "/secret");
}

TEST_CASE("each connection is verified by its own name") {
  const Identity ca = make_ca("ca");
  TestServer by_address({.identity = make_leaf(ca, {.names = "IP:127.0.0.1"})}, hello),
      by_name({.identity = make_leaf(ca, {.names = "DNS:localhost"})}, hello);
  const auto both = trusting(ca);
  const auto answers = both->run({get(by_address.url("/")), get(by_name.url("/", "localhost")), get(by_name.url("/"))});
  CHECK(body_of(answers[0]) == "hello");
  CHECK(body_of(answers[1]) == "hello");
  CHECK(id_of(answers[2]) == "tls.name");
}

TEST_CASE("a CA bundle without a certificate is no trust") {
  CHECK(id_of(session({.trust = Trust::given, .ca_pem = "nothing"})->run_one(get("https://127.0.0.1:1/"))) == "tls.ca");
  CHECK(id_of(pending()->trust("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "https://h/")) == "tls.ca");
  CHECK(id_of(pending()->trust(make_ca("x").certificate, "https://h/")) == "tls.untrusted");  // nobody was seen
}

TEST_CASE("the machine's bundle is what SSL_CERT_FILE names first") {
  const Identity ca = make_ca("company");
  const TemporaryFolder folder;
  REQUIRE(outcome(make_real_host()->write(
              folder / "ca.pem", "# a comment\n" + make_ca("other").certificate + ca.certificate, 0644)) == "ok");
  REQUIRE(::setenv("SSL_CERT_FILE", (folder / "ca.pem").c_str(), 1) == 0);
  TestServer server({.identity = make_leaf(ca)}, hello);
  CHECK(body_of(session({})->run_one(get(server.url("/")))) == "hello");
  REQUIRE(::unsetenv("SSL_CERT_FILE") == 0);
}

TEST_CASE("a client certificate is shown, and one without its key is not") {
  const Identity ca = make_ca("ca"), me = make_leaf(ca, {.names = ""}), other = make_leaf(ca, {.names = ""});
  TestServer server({.identity = make_leaf(ca), .client_ca = ca.certificate}, hello);
  HttpOptions options{.trust = Trust::given,
                      .ca_pem = ca.certificate,
                      .client_cert_pem = me.certificate,
                      .client_key_pem = Secret(me.key)};
  CHECK(body_of(session(options)->run_one(get(server.url("/")))) == "hello");
  options.client_key_pem = Secret(other.key);
  CHECK(id_of(session(options)->run_one(get(server.url("/")))) == "tls.client-certificate");
}

TEST_CASE("a redirect is an answer, not an order") {
  const Identity ca = make_ca("ca");
  TestServer target({.identity = make_leaf(ca)}, hello), plain({}, hello);
  std::string location;
  const auto redirect = [&](const Seen&) { return Reply{.status = 302, .headers = {{"Location", location}}}; };
  TestServer server({.identity = make_leaf(ca)}, redirect), plain_server({}, redirect);
  HttpRequest request = with_bearer(server.url("/"));
  request.headers = {{"Accept", "text/plain"}, {"X-Token", "secret"}};

  location = target.url("/there");
  CHECK(trusting(ca)->run_one(request)->status == 302);
  CHECK(target.connections() == 0);

  int heard = 0;
  request.on_done = [&](const Result<HttpResponse>&) { return ++heard, Flow::go_on; };
  CHECK(body_of(trusting(ca, 2)->run_one(request)) == "hello");
  CHECK(heard == 1);
  REQUIRE(target.seen().size() == 1);
  CHECK(target.seen()[0].headers.count("authorization") == 0);
  CHECK(target.seen()[0].headers.count("x-token") == 0);
  CHECK(target.seen()[0].headers.at("accept") == "text/plain");

  location = plain.url("/there");  // down to plain HTTP
  CHECK(trusting(ca, 2)->run_one(request)->status == 302);
  location = target.url("/there");  // up from plain HTTP, where anybody may have answered
  CHECK(trusting(ca, 2)->run_one(get(plain_server.url("/")))->status == 302);
  location = server.url("/again");  // for ever
  CHECK(trusting(ca, 2)->run_one(get(server.url("/")))->status == 302);
  CHECK(plain.connections() == 0);
}

TEST_CASE("what is too large, too slow or not there has its own error") {
  TestServer server({}, [](const Seen& seen) {
    if (seen.path == "/silent") return Reply{.silent = true};
    if (seen.path == "/hangs") return Reply{.body = "begin", .hangs = true};
    return Reply{.body = std::string(1001, 'x')};
  });
  const auto http = session({});
  HttpRequest large = get(server.url("/large?signature=secret"));
  large.max_bytes = 1000;
  const auto answer = http->run_one(large);
  CHECK(id_of(answer) == "http.too-large");
  CHECK(answer.error().kind == Kind::untrusted);
  CHECK(answer.error().message.find("secret") == std::string::npos);
  large.max_bytes = 1001;
  CHECK(body_of(http->run_one(large)).size() == 1001);
  for (const std::string path : {"/silent", "/hangs"}) {
    HttpRequest slow = get(server.url(path));
    slow.timeout = std::chrono::milliseconds(30);
    CHECK(id_of(http->run_one(slow)) == "http.timeout");
    slow.timeout = std::chrono::milliseconds(0);  // a deadline that has passed is no licence to wait for ever
    CHECK(id_of(http->run_one(slow)) == "http.timeout");
  }
  CHECK(id_of(http->run_one(get("http://127.0.0.1:1/"))) == "http.unreachable");
  CHECK(http->run_one(get("http://127.0.0.1:1/")).error().message.find("Connection refused") != std::string::npos);
  CHECK(id_of(http->run_one(get("http://"))) == "http.protocol");
  CHECK(id_of(http->run_one(get("file:///etc/passwd"))) == "http.protocol");
  CHECK(id_of(session({.trust = Trust::pending})->run_one(get("https" + server.url("/").substr(4)))) ==
        "tls.handshake");
  CHECK(http->run({}).empty());
}

TEST_CASE("a server that closes without an answer is unreachable, not our defect") {
  TestServer server({.identity = make_leaf(make_ca("ca"))}, hello);  // expects TLS, gets plain HTTP, and hangs up
  const auto answer = session({})->run_one(get("http" + server.url("/").substr(5)));
  CHECK(id_of(answer) == "http.unreachable");
  CHECK(answer.error().kind == Kind::unavailable);
}

TEST_CASE("a stream comes line by line until a handler stops it, and with it the rest of the batch") {
  const Identity ca = make_ca("ca");
  for (const bool http2 : {false, true}) {
    CAPTURE(http2);
    TestServer server({.identity = make_leaf(ca), .http2 = http2}, [](const Seen& seen) {
      if (seen.path == "/watch") return Reply{.body = "one\n\ntwo\nthree\nfo", .hangs = true};
      if (seen.path == "/ends") return Reply{.body = "one\ntwo"};
      return Reply{.silent = seen.path == "/silent"};
    });
    const auto api = trusting(ca);
    REQUIRE(outcome(api->run_one(get(server.url("/")))) == "ok");
    std::vector<std::string> lines;
    HttpRequest watch = get(server.url("/watch"));
    watch.stream = true;
    watch.on_line = [&](std::string_view line) {
      return lines.emplace_back(line), line == "two" ? Flow::stop : Flow::go_on;
    };
    bool heard_of_cancelled = false;
    HttpRequest other = get(server.url("/silent"));
    other.on_done = [&](const auto&) { return heard_of_cancelled = true, Flow::go_on; };
    auto answers = api->run({other, watch});
    CHECK(lines == std::vector<std::string>{"one", "two"});
    REQUIRE(outcome(answers[1]) == "ok");
    CHECK(answers[1]->stopped);
    CHECK(answers[1]->body.empty());
    CHECK(id_of(answers[0]) == "http.cancelled");
    CHECK(!heard_of_cancelled);

    lines.clear();
    watch.url = server.url("/ends");  // the last line lacks its end; stop counts there too
    answers = api->run({watch});
    CHECK(lines == std::vector<std::string>{"one", "two"});
    CHECK(answers[0]->stopped);

    watch.max_bytes = 4;
    watch.url = server.url("/watch");
    watch.on_line = nullptr;
    CHECK(id_of(api->run_one(watch)) == "http.too-large");  // "three"
    if (http2) CHECK(server.connections() == 1);            // what was stopped were streams, not the connection
  }
}

TEST_CASE("an answer that is no 2xx is not streamed") {
  TestServer server({}, [](const Seen&) { return Reply{.status = 403, .body = "no\n"}; });
  HttpRequest watch = get(server.url("/watch"));
  watch.stream = true;
  int lines = 0;
  watch.on_line = [&](std::string_view) { return ++lines, Flow::go_on; };
  CHECK(body_of(session({})->run_one(watch)) == "no\n");
  CHECK(lines == 0);
}

TEST_CASE("a watch and the POST that it waits for share an HTTP/2 connection, and do not block each other without") {
  const Identity ca = make_ca("ca");
  for (const bool http2 : {true, false}) {
    CAPTURE(http2);
    TestServer server({.identity = make_leaf(ca), .http2 = http2}, [](const Seen& seen) {
      return seen.method == "POST" ? Reply{.status = 201} : seen.path == "/" ? Reply{} : Reply{.body = "approved\n", .after = "/csr", .hangs = true};
    });
    const auto api = trusting(ca);
    REQUIRE(outcome(api->run_one(get(server.url("/")))) == "ok");
    HttpRequest watch = get(server.url("/watch")), post{.method = "POST", .url = server.url("/csr"), .body = "{}"};
    watch.stream = true;
    watch.on_line = [](std::string_view line) { return line == "approved" ? Flow::stop : Flow::go_on; };
    const auto answers = api->run({watch, post});
    CHECK(answers[0]->stopped);
    CHECK(api->connections() == (http2 ? 1 : 2));
    CHECK(server.connections() == api->connections());
  }
}

TEST_CASE("on_done may end the batch") {
  TestServer server({}, [](const Seen& seen) { return Reply{.body = "x", .silent = seen.path == "/silent"}; });
  HttpRequest first = get(server.url("/"));
  first.on_done = [](const Result<HttpResponse>& answer) {
    return answer && answer->status == 200 ? Flow::stop : Flow::go_on;
  };
  const auto answers = session({})->run({get(server.url("/silent")), first});
  CHECK(id_of(answers[0]) == "http.cancelled");
  CHECK(body_of(answers[1]) == "x");
}

TEST_CASE("methods, bodies and headers arrive as they were meant") {
  TestServer server({}, [](const Seen& seen) { return Reply{.body = seen.method == "HEAD" ? "" : seen.method}; });
  const auto http = session({});
  for (const std::string method : {"GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"}) {
    CAPTURE(method);
    HttpRequest request{
        .method = method, .url = server.url("/p?q=1"), .headers = {{"Content-Type", "application/json"}}};
    if (method == "POST" || method == "PATCH") request.body = std::string("a\0b", 3);
    const auto answer = http->run_one(request);
    REQUIRE(outcome(answer) == "ok");
    const Seen seen = server.seen().back();
    CHECK(seen.method == method);
    CHECK(seen.path == "/p?q=1");
    CHECK(seen.body == request.body);
    CHECK(seen.headers.at("content-type") == "application/json");
    CHECK(seen.headers.count("expect") == 0);
  }
  CHECK(server.connections() == 1);
}

TEST_CASE("gRPC's way: HTTP/2 with prior knowledge on a unix socket; trailers stand among the headers") {
  const TemporaryFolder folder;
  TestServer server({.http2 = true, .unix_socket = folder / "containerd.sock"}, [](const Seen& seen) {
    return Reply{.body = "\x01" + seen.body, .trailers = {{"grpc-status", "0"}}};
  });
  const auto runtime = session({.unix_socket = folder / "containerd.sock", .h2c = true});
  const auto answer =
      runtime->run_one({.method = "POST", .url = "http://localhost/runtime.v1.RuntimeService/Version", .body = "ask"});
  REQUIRE(outcome(answer) == "ok");
  CHECK(answer->body ==
        "\x01"
        "ask");
  CHECK(answer->headers.at("grpc-status") == "0");
  CHECK(id_of(session({.unix_socket = folder / "absent.sock", .h2c = true})->run_one(get("http://localhost/"))) ==
        "http.unreachable");
}

TEST_CASE("a signal ends what waits") {
  TestServer server({}, [](const Seen&) { return Reply{.silent = true}; });
  const int wake = ::eventfd(1, EFD_CLOEXEC);
  const auto http = make_curl_session({.use_proxy = false}, wake);
  CHECK(id_of(http->run_one(get(server.url("/")))) == "signal.terminated");
  (void)::close(wake);
}

TEST_CASE("expect_ok tells what an API server's answer means") {
  struct Row {
    int status;
    Kind kind;
    std::string id;
  };
  const Row rows[] = {
      {401, Kind::refused, "http.unauthorized"},    {403, Kind::refused, "http.forbidden"},
      {404, Kind::invalid, "http.not-found"},       {409, Kind::machine, "http.conflict"},
      {408, Kind::unavailable, "http.unavailable"}, {429, Kind::unavailable, "http.unavailable"},
      {500, Kind::unavailable, "http.unavailable"}, {503, Kind::unavailable, "http.unavailable"},
      {301, Kind::untrusted, "http.redirect"},      {400, Kind::machine, "http.status"},
      {422, Kind::machine, "http.status"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    const HttpResponse response{.status = row.status,
                                .headers = {{"retry-after", "7"}},
                                .body = R"({"kind":"Status","message":"bad \u001b token abcdef.0123456789abcdef"})"};
    const auto error = expect_ok(response, "read ConfigMap kube-system/kubeadm-config");
    REQUIRE(id_of(error) == row.id);
    CHECK(error.error().kind == row.kind);
    CHECK(error.error().message.starts_with("unable to read ConfigMap kube-system/kubeadm-config: HTTP status " +
                                            std::to_string(row.status)));
    CHECK(error.error().message.find("bad \\x1b token abcdef.…") != std::string::npos);
    CHECK(error.error().retry_after.has_value() == (row.kind == Kind::unavailable));
  }
  CHECK(expect_ok(HttpResponse{.status = 200, .body = "x"}, "read")->body == "x");
  for (const std::string odd : {"", "[]", "{\"message\":1}", "<html>"})
    CHECK(expect_ok(HttpResponse{.status = 400, .body = odd}, "ask").error().message ==
          "unable to ask: HTTP status 400");
  CHECK(id_of(expect_ok(HttpResponse{.status = 400, .body = std::string(60'000, '[')}, "ask")) == "http.status");
  CHECK(expect_ok(fail(Kind::unavailable, "http.dns", "no such name"), "ask").error().message ==
        "unable to ask: no such name");
}

TEST_CASE("Retry-After is seconds, or a date by the server's own clock") {
  struct Row {
    std::string value, date;
    std::optional<long> seconds;
  };
  const std::string now = "Sun, 06 Nov 1994 08:49:37 GMT";
  const Row rows[] = {
      {"0", "", 0},
      {"120", "", 120},
      {"99999999", "", 3600},
      {"999999999999", "", {}},
      {"-1", "", {}},
      {"1.5", "", {}},
      {"", "", {}},
      {"Sun, 06 Nov 1994 08:50:37 GMT", now, 60},
      {"Sun, 06 Nov 1994 08:48:37 GMT", now, {}},
      {"Sun, 06 Nov 1994 08:50:37 GMT", "", {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.value);
    HttpResponse response{.headers = {{"retry-after", row.value}}};
    if (!row.date.empty()) response.headers["date"] = row.date;
    const auto delay = response.retry_after();
    CHECK(delay.has_value() == row.seconds.has_value());
    if (delay && row.seconds) CHECK(*delay == std::chrono::seconds(*row.seconds));
  }
}

TEST_CASE("a URL is shown without what may be a credential") {
  const std::pair<std::string, std::string> rows[] = {
      {"https://user:pw@example.com:6443/a/b?token=x#y", "https://example.com:6443/a/b"},
      {"https://h?x=1", "https://h"},
      {"https://h/a@b", "https://h/a@b"},
      {"https://a@b@c/", "https://c/"},
      {"no-url?x", "no-url"},
      {"http://h/\x1b", "http://h/\\x1b"}};
  for (const auto& [url, shown] : rows) CHECK(shown_url(url) == shown);
}
