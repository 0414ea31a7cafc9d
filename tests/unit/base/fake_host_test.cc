// The fake machine keeps the promises that the phases' tests rest on.
#include "../fake_host.h"

#include "../test.h"

using namespace kubejoin;

TEST_CASE("files, folders and links") {
  FakeHost host;
  host.put("/etc/a", "1", 0600);
  host.put_link("/etc/link", "a");
  CHECK(host.read("/etc/link") == "1");
  CHECK(host.stat("/etc")->type == FileType::directory);
  CHECK(host.stat("/etc/link")->type == FileType::symlink);
  CHECK(host.list("/").value() == std::vector<std::string>{"etc"});
  CHECK(host.list("/etc").value() == std::vector<std::string>{"a", "link"});
  CHECK(id_of(host.list("/no")) == "file.absent");
  CHECK(id_of(host.read("/etc")) == "file.absent");
  CHECK(id_of(host.write("/etc", "x", 0600)) == "file.write");
  CHECK(id_of(host.remove("/etc")) == "file.remove");
  REQUIRE(outcome(host.rename("/etc", "/usr")) == "ok");
  CHECK(host.content("/usr/a") == "1");
  REQUIRE(outcome(host.remove_tree("/usr")) == "ok");
  CHECK(host.files.empty());
}

TEST_CASE("the n-th touch fails and changes nothing") {
  for (int n = 1; n <= 3; ++n) {
    FakeHost host;
    host.fail_at(n);
    const bool first = host.write("/a", "1", 0600).has_value(), second = host.write("/b", "2", 0600).has_value(),
               third = host.write("/c", "3", 0600).has_value();
    CHECK(first == (n != 1));
    CHECK(second == (n != 2));
    CHECK(third == (n != 3));
    CHECK(host.files.size() == 2);
    CHECK(host.touches.at(static_cast<std::size_t>(n - 1)).ends_with(" (failed)"));
    CHECK(host.fallible_touches() == 3);
  }
}

TEST_CASE("canned answers: the most exact key, in turn, the last for ever") {
  FakeHost host;
  host.answer("GET /a", {.body = "path"});
  host.answer("GET /a?x=1", {.body = "query"});
  host.answer("GET https://h/b", {.status = 503});
  host.answer("GET https://h/b", {.body = "url"});
  const auto http = host.open_http({});
  const auto get = [&](const std::string& url) { return http->run_one({.url = url}).value(); };
  CHECK(get("https://h/a").body == "path");
  CHECK(get("https://h/a?x=2").body == "path");
  CHECK(get("https://h/a?x=1").body == "query");
  CHECK(get("https://h/b").status == 503);
  CHECK(get("https://h/b").body == "url");
  CHECK(get("https://h/b").body == "url");
  CHECK(get("https://h/c").status == 404);
  CHECK(host.count_touches("GET") == 7);
}

TEST_CASE("streams come after the batch's other requests, stop it, or hang until their time is up") {
  FakeHost host;
  host.answer("GET /watch", {.lines = {"one", "two"}, .hangs = true});
  host.answer("POST /csr", {.status = 201, .before = [&] { host.put("/posted", ""); }});
  std::vector<std::string> lines;
  HttpRequest watch{.url = "https://h/watch", .timeout = Millis(3000), .stream = true};
  watch.on_line = [&](std::string_view line) {
    return lines.emplace_back(line), host.stat("/posted") ? Flow::stop : Flow::go_on;
  };
  auto answers = host.open_http({})->run({watch, {.method = "POST", .url = "https://h/csr"}});
  CHECK(lines == std::vector<std::string>{"one"});
  CHECK(answers[0]->stopped);
  CHECK(answers[1]->status == 201);

  const Instant before = host.monotonic();
  watch.on_line = nullptr;
  CHECK(id_of(host.open_http({})->run_one(watch)) == "http.timeout");
  CHECK(host.monotonic() == before + Millis(3000));
}

TEST_CASE("trust is as strict as the real one") {
  FakeHost host;
  host.answer("GET /", {});
  const auto api = host.open_http({.trust = HttpOptions::Trust::pending});
  const HttpRequest request{.url = "https://h/", .bearer = Secret("s3cret")};
  CHECK(id_of(api->run_one(request)) == "http.unverified");
  CHECK(host.requests.empty());
  host.distrust = Error{.kind = Kind::untrusted, .id = "tls.name"};
  CHECK(id_of(api->trust("", "https://h/")) == "tls.name");
  host.distrust.reset();
  CHECK(outcome(api->trust("", "https://h/")) == "ok");
  CHECK(outcome(api->run_one(request)) == "ok");
}

TEST_CASE("a secret that shows is found") {
  FakeHost host;
  host.programs = {"tool"};
  (void)host.write("/etc/safe", "s3cret", 0600);
  CHECK(host.places_that_show("s3cret").empty());
  (void)host.write("/etc/open", "a s3cret", 0644);
  (void)host.run({.argv = {"tool", "--token=s3cret"}, .env = {{"TOKEN", "s3cret"}}});
  (void)host.open_http({})->run_one({.url = "https://h/?token=s3cret"});
  CHECK(host.places_that_show("s3cret") == std::vector<std::string>{"run tool --token=s3cret",
                                                                    "GET https://h/?token=s3cret",
                                                                    "environment of tool: TOKEN", "/etc/open 0644"});
}

TEST_CASE("time passes only when somebody waits") {
  FakeHost host;
  const Instant start = host.monotonic();
  host.appears_in["/run/x"] = Millis(1500);
  CHECK(id_of(host.wait_for_path("/run/x", start + Millis(1000))) == "wait.timeout");
  CHECK(host.monotonic() == start + Millis(1000));
  CHECK(outcome(host.wait_for_path("/run/x", start + Millis(10'000))) == "ok");
  CHECK(host.stat("/run/x"));
  CHECK(host.monotonic() == start + Millis(2500));
  host.sleep_until(host.monotonic() + Millis(500));
  CHECK(host.touches.back() == "sleep 500ms");
  host.route_in.reset();
  CHECK(id_of(host.wait_for_route("10.0.0.1", host.monotonic())) == "net.no-route");
  FakeHost twin;
  std::uint64_t a = 0, b = 0;
  host.random(&a, sizeof a);
  twin.random(&b, sizeof b);
  CHECK(a == b);
}
