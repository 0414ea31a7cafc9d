// Token discovery: upstream's cases (kubeadm app/discovery/token/token_test.go), hostile answers, and several API servers.
#include "../cli/world.h"
#include "../kube/golden.h"
#include "plan/join_plan.h"
#include "plan/runner.h"
#include "plan/state.h"
#include "report/progress.h"

using namespace kubejoin;

namespace {

constexpr const char* kInfo = "GET /api/v1/namespaces/kube-public/configmaps/cluster-info";

// Upstream's own cluster-info (its CA is certificate C), and a token that signed it.
constexpr const char* kUpstreamToken = "123456.abcdef1234567890";
constexpr const char* kUpstreamJws = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjEyMzQ1NiJ9..vfn-3PBhe54VW7uElQv4Kx8dxpqquZ8QGlBArxYLBac";
constexpr const char* kPinA = "sha256:345959acb2c3b2feb87d281961c893f62a314207ef02599f1cc4a5fb255480b3";
constexpr const char* kPinC = "sha256:98be2e6d4d8a89aa308fb15de0c07e2531ce549c68dec1687cdd5c06f0826658";

std::string config_map(std::vector<std::pair<std::string, std::string>> data) {
  std::string members;
  for (const auto& [key, value] : data) members += (members.empty() ? "\"" : ",\"") + key + "\":\"" + replace_all(value, "\n", "\\n") + "\"";
  return R"({"kind":"ConfigMap","metadata":{"name":"cluster-info"},"data":{)" + members + "}}";
}

// The phase alone, on a machine that needs no preparation.
struct Discovery {
  explicit Discovery(FakeHost& on, const config::JoinConfig& config) : host(on), state(config) {}
  Status run() {
    plan::Context context{host, state, observer};
    return discovery::establish_trust(context);
  }

  struct Ear : plan::Observer {
    void phase_started(const plan::Phase&, int, int) override {}
    void phase_ended(const plan::Phase&, Millis, const Error*, std::string_view) override {}
    void note(std::string_view) override {}
    void waiting(std::string_view) override {}
    void retrying(const Error&, int, Millis) override {}
    void warning(const Error& warning) override { warnings.push_back(warning.id + ": " + warning.message); }
    void detail(std::string_view) override {}
    void milestone(std::string_view) override {}
    std::vector<std::string> warnings;
  } observer;
  FakeHost& host;
  plan::JoinState state;
};

config::JoinConfig config_of(const std::string& token, std::vector<std::string> pins, std::vector<std::string> endpoints = {"127.0.0.1:6443"}) {
  config::JoinConfig config;
  config.token_discovery = config::TokenDiscovery{.token = Secret(token), .endpoints = std::move(endpoints), .ca_cert_hashes = std::move(pins)};
  config.tls_bootstrap_token = Secret(token);
  config.node_name = "node1";
  return config;
}

}  // namespace

TEST_CASE("discovery: upstream's cases") {
  const std::string published = golden("upstream/cluster-info.kubeconfig");
  std::string one_byte_other = published;
  one_byte_other[one_byte_other.find("somecluster")] = 'S';
  const std::string signed_map = config_map({{"kubeconfig", published}, {"jws-kubeconfig-123456", kUpstreamJws}});
  const FakeHost::Answer absent{.status = 404}, unsigned_yet{.body = config_map({{"kubeconfig", published}})};
  const struct {
    const char* what;
    std::vector<FakeHost::Answer> answers;
    std::string token;
    std::vector<std::string> pins;
    const char* id;
    std::size_t requests;  // 0: more than one
  } kRows[] = {
      {"delayed JWS", {unsigned_yet, {.body = signed_map}}, kUpstreamToken, {kPinC}, "ok", 2},
      {"plain", {{.body = signed_map}}, kUpstreamToken, {kPinC}, "ok", 1},
      {"no pins", {{.body = signed_map}}, kUpstreamToken, {}, "ok", 1},
      {"bad token", {{.body = signed_map}}, "foo.bar", {kPinC}, "config.token", 0},
      {"ConfigMap absent", {absent}, kUpstreamToken, {kPinC}, "discovery.no-cluster-info", 0},
      {"kubeconfig foo, JWS bar", {{.body = config_map({{"kubeconfig", "foo"}, {"jws-kubeconfig-123456", "bar"}})}}, kUpstreamToken, {kPinC}, "discovery.jws-mismatch", 1},
      {"JWS key missing", {unsigned_yet}, kUpstreamToken, {kPinC}, "discovery.token-unknown", 0},
      {"bad pin", {{.body = signed_map}}, kUpstreamToken, {"foo"}, "discovery.pin-format", 1},
      {"pin of A", {{.body = signed_map}}, kUpstreamToken, {kPinA}, "discovery.pin-mismatch", 1},
      {"one byte changed", {{.body = config_map({{"kubeconfig", one_byte_other}, {"jws-kubeconfig-123456", kUpstreamJws}})}}, kUpstreamToken, {kPinC}, "discovery.jws-mismatch", 1},
      {"an extra line feed", {{.body = config_map({{"kubeconfig", published + "\n"}, {"jws-kubeconfig-123456", kUpstreamJws}})}}, kUpstreamToken, {kPinC}, "discovery.jws-mismatch", 1},
      {"two JWS, ours valid", {{.body = config_map({{"jws-kubeconfig-zzzzzz", "junk"}, {"kubeconfig", published}, {"jws-kubeconfig-123456", kUpstreamJws}})}}, kUpstreamToken, {kPinC}, "ok", 1},
      {"two JWS, ours junk", {{.body = config_map({{"jws-kubeconfig-zzzzzz", kUpstreamJws}, {"kubeconfig", published}, {"jws-kubeconfig-123456", "junk"}})}}, kUpstreamToken, {kPinC}, "discovery.jws-mismatch", 1},
      {"empty JWS", {{.body = config_map({{"kubeconfig", published}, {"jws-kubeconfig-123456", ""}})}}, kUpstreamToken, {kPinC}, "discovery.jws-mismatch", 1},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.what);
    FakeHost host;
    for (const auto& answer : row.answers) host.answer(kInfo, answer);
    Discovery discovery(host, config_of(row.token, row.pins));
    const Status status = discovery.run();
    CHECK(id_of(status) == row.id);
    if (row.requests != 0) CHECK(host.requests.size() == row.requests);
    for (const HttpRequest& request : host.requests) CHECK(request.bearer.empty());
    if (!status) {
      CHECK_FALSE(status.error().hint.empty());
      continue;
    }
    CHECK(discovery.state.ca_pem == golden("upstream/pin-c.crt").substr(0, golden("upstream/pin-c.crt").size() - 1));
    CHECK(discovery.state.endpoint == "https://127.0.0.1:6443");
    CHECK(discovery.state.server == "https://127.0.0.1");
    CHECK(discovery.state.bearer == Secret(kUpstreamToken));
    CHECK(host.sessions.at(0).trust == HttpOptions::Trust::pending);
  }
}

TEST_CASE("discovery: what a signed cluster-info may still get wrong is untrusted, and ends at once") {
  const std::string ca = base64(golden("upstream/pin-c.crt"));
  const auto with = [&](const std::string& clusters) { return "apiVersion: v1\nkind: Config\nclusters:\n" + clusters; };
  const auto cluster = [](const std::string& name, const std::string& data) { return "- name: " + name + "\n  cluster: {server: 'https://127.0.0.1', certificate-authority-data: " + data + "}\n"; };
  const struct {
    const char* what;
    std::string kubeconfig;
    const char* id;
  } kRows[] = {
      {"no YAML", "\t{", "discovery.kubeconfig"},
      {"no cluster", with("[]\n"), "discovery.kubeconfig"},
      {"two clusters", with(cluster("a", ca) + cluster("b", ca)), "discovery.kubeconfig"},
      {"the CA twice", with("- name: a\n  cluster: {certificate-authority-data: " + ca + ", certificate-authority-data: " + ca + "}\n"), "discovery.kubeconfig"},
      {"no CA", with(cluster("a", "''")), "kube.certificate"},
      {"a CA that is none", with(cluster("a", base64("junk"))), "kube.certificate"},
      {"a CA that is no base64", with(cluster("a", "'!'")), "discovery.kubeconfig"},
  };
  const auto token = kube::parse_token(Secret(kUpstreamToken));
  for (const auto& row : kRows) {
    CAPTURE(row.what);
    FakeHost host;
    const std::string text = replace_all(row.kubeconfig, "\t", "\\t");
    host.answer(kInfo, {.body = config_map({{"kubeconfig", text}, {"jws-kubeconfig-123456", kube::jws_sign(row.kubeconfig, *token)}})});
    Discovery discovery(host, config_of(kUpstreamToken, {kPinC}));
    const Status status = discovery.run();
    REQUIRE(id_of(status) == row.id);
    CHECK(status.error().kind == Kind::untrusted);
    CHECK(host.requests.size() == 1);
  }
}

TEST_CASE("discovery: what a server says is shown without its control characters and without tokens") {
  FakeHost host;
  host.answer(kInfo, {.status = 403, .body = R"({"kind":"Status","message":"no \u001b[2J\r\nabcdef.0123456789abcdef \u202e here"})"});
  Discovery discovery(host, config_of("abcdef.0123456789abcdef", {kPinC}));
  const Status status = discovery.run();
  REQUIRE_FALSE(status);
  CHECK(status.error().message.find("abcdef.\xE2\x80\xA6") != std::string::npos);
  for (const char* hidden : {"0123456789abcdef", "\x1b", "\r", "\n", "\xE2\x80\xAE"}) CHECK(status.error().message.find(hidden) == std::string::npos);
}

TEST_CASE("discovery: several API servers race") {
  const FakeCluster cluster;
  const std::string good = cluster.cluster_info();
  FakeCluster forger;
  forger.signs_with = "abcdef.fedcba9876543210";
  const std::string forged = forger.cluster_info();
  const FakeHost::Answer ok{.body = good}, liar{.body = forged}, silent{.hangs = true}, closed{.status = 403},
      dead{.error = fail(Kind::unavailable, "http.unreachable", "unable to connect", "is the address right?").value()};
  const Error wrong_name = fail(Kind::untrusted, "tls.name", "another name", "use one of these names").value();

  const struct {
    const char* what;
    std::map<std::string, FakeHost::Answer> servers;  // host -> answer
    std::set<std::string> other_name;                 // whose certificate is not for its name
    const char* id;
    const char* winner;
    Millis within;
  } kRows[] = {
      {"the first answers, and is alone asked", {{"a", ok}, {"b", ok}, {"c", ok}}, {}, "ok", "a", Millis(0)},
      {"the first is dead", {{"a", dead}, {"b", ok}, {"c", ok}}, {}, "ok", "b", Millis(0)},
      {"two are dead", {{"a", dead}, {"b", dead}, {"c", ok}}, {}, "ok", "c", Millis(0)},
      {"the first is silent: the second is asked a moment later", {{"a", silent}, {"b", ok}, {"c", ok}}, {}, "ok", "b", Millis(250)},
      {"two are silent", {{"a", silent}, {"b", silent}, {"c", ok}}, {}, "ok", "c", Millis(500)},
      {"the first is a liar", {{"a", liar}, {"b", ok}, {"c", ok}}, {}, "ok", "b", Millis(0)},
      {"the first refuses", {{"a", closed}, {"b", ok}, {"c", ok}}, {}, "ok", "b", Millis(0)},
      {"the first relays the true answer under another name", {{"a", ok}, {"b", ok}, {"c", ok}}, {"a"}, "ok", "b", Millis(0)},
      {"two relay it, the third is silent for a round", {{"a", ok}, {"b", ok}, {"c", ok}}, {"a", "b"}, "ok", "c", Millis(0)},
      {"all lie", {{"a", liar}, {"b", liar}, {"c", liar}}, {}, "discovery.jws-mismatch", "", Millis(0)},
      {"all are elsewhere", {{"a", ok}, {"b", ok}, {"c", ok}}, {"a", "b", "c"}, "tls.name", "", Millis(0)},
      {"one lies, the others are dead: the lie is the answer, in the end", {{"a", dead}, {"b", liar}, {"c", dead}}, {}, "discovery.jws-mismatch", "", std::chrono::minutes(5)},
      {"all are dead", {{"a", dead}, {"b", dead}, {"c", dead}}, {}, "http.unreachable", "", std::chrono::minutes(5)},
      {"one refuses, the others are dead", {{"a", dead}, {"b", closed}, {"c", dead}}, {}, "discovery.cluster-info-closed", "", std::chrono::seconds(21)},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.what);
    FakeHost host;
    for (const auto& [name, answer] : row.servers) host.answer("GET https://" + name + ":6443" + kube::cluster_info_path(), answer);
    for (const std::string& name : row.other_name) host.distrusted.emplace("https://" + name + ":", wrong_name);
    Discovery discovery(host, config_of(kTestToken, {cluster.ca.pin(), forger.ca.pin()}, {"a:6443", "b:6443", "c:6443"}));
    const Instant began = host.instant;
    const Status status = discovery.run();
    CHECK(id_of(status) == row.id);
    CHECK_MESSAGE(host.instant - began <= row.within, format_duration(std::chrono::duration_cast<Millis>(host.instant - began)));
    for (const HttpRequest& request : host.requests) CHECK(request.bearer.empty());
    if (status) {
      CHECK(discovery.state.endpoint == "https://" + std::string(row.winner) + ":6443");
      CHECK(discovery.state.ca_pem == cluster.ca.pem());
    } else {
      CHECK_FALSE(status.error().hint.empty());
    }
    // Who proved to be another is told of at once, and asked no more.
    for (const auto& [name, answer] : row.servers) {
      const bool lies = answer.body == forged || row.other_name.contains(name);
      if (lies) CHECK(host.count_touches("GET https://" + name + ":") <= 1);
      if (lies && host.count_touches("GET https://" + name + ":") == 1 && status) CHECK(discovery.observer.warnings.size() == (row.other_name.size() > 1 ? 2 : 1));
    }
  }
}

TEST_CASE("discovery: a clock that is wrong is waited for, told of, and never believed over a certificate") {
  FakeCluster cluster;
  const Error not_yet = fail(Kind::untrusted, "tls.not-yet-valid", "the server's certificate is not valid before tomorrow", "is the clock right?").value();
  const auto dated = [](int status, const std::string& time, std::string body = "") {
    return FakeHost::Answer{.status = status, .headers = {{"date", "Tue, 24 Nov 2026 " + time + " GMT"}}, .body = std::move(body)};
  };
  const struct {
    const char* what;
    bool is_turned_down;           // the certificate, until the clock is right
    const char* time;              // the server's; ours is midnight
    std::optional<Millis> set_in;  // by three hours
    const char* id;
    const char* warning;
    Millis took;
    std::size_t asked;             // for cluster-info
  } kRows[] = {
      {"right", false, "00:00:00", {}, "ok", "", Millis(0), 1},
      {"a little behind", false, "00:04:00", {}, "ok", "", Millis(0), 1},
      {"far behind, set in time", false, "03:00:00", Millis(8'000), "ok", "", Millis(8'000), 1},
      {"far behind, set to what is still far behind", false, "03:12:00", Millis(8'000), "ok", "12m0s behind the API server's Date and was not set in time", Millis(120'000), 1},
      {"far behind, never set", false, "03:12:00", {}, "ok", "3h12m0s behind the API server's Date and was not set in time", Millis(120'000), 1},
      {"turned down, set in time", true, "03:00:00", Millis(8'000), "ok", "", Millis(8'000), 2},
      {"turned down, never set", true, "03:12:00", {}, "clock.skew", "", Millis(120'000), 1},
      {"turned down by a clock that is right", true, "00:00:00", {}, "tls.not-yet-valid", "", Millis(0), 1},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.what);
    FakeHost host;
    cluster.attach(host);
    if (row.is_turned_down) host.distrust = not_yet;
    host.clock_set_in = row.set_in;
    host.clock_set_by = std::chrono::hours(3);
    auto info = dated(200, row.time, cluster.cluster_info());
    cluster.instead["GET " + kube::cluster_info_path()] = {info};
    auto head = dated(403, row.time);
    if (row.set_in) head.before = [&host] { host.distrust.reset(); };
    cluster.instead["HEAD /"] = {head};
    Discovery discovery(host, cluster.config());
    const Instant began = host.instant;
    const Status status = discovery.run();
    CHECK(id_of(status) == row.id);
    CHECK(std::chrono::duration_cast<Millis>(host.instant - began) == row.took);
    CHECK(join(discovery.observer.warnings, "; ").find(row.warning) != std::string::npos);
    CHECK(discovery.observer.warnings.empty() == (*row.warning == '\0'));
    CHECK(host.count_touches("GET https://") == static_cast<int>(row.asked));
    for (const HttpRequest& request : host.requests) CHECK(request.bearer.empty());
    if (status) continue;
    CHECK(status.error().message.find("the server's certificate is not valid before tomorrow") != std::string::npos);
    CHECK(status.error().kind == (row.id == std::string("clock.skew") ? Kind::unavailable : Kind::untrusted));
  }
}

TEST_CASE("discovery: a machine's own failure is no proof against a server") {
  FakeCluster cluster;
  FakeHost host;
  cluster.attach(host);
  Discovery discovery(host, cluster.config());
  host.fail_at(2);  // trust()
  CHECK(id_of(discovery.run()) == "fake.failed");
}
