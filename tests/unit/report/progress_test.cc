// What is told while a join runs: to a terminal, a log, journald, kubeadm's users, systemd, and the status file.
#include "report/progress.h"

#include <rapidjson/document.h>

#include "../captured.h"
#include "../fake_host.h"
#include "../test.h"
#include "report/result_file.h"

using namespace kubejoin;
using namespace kubejoin::report;

namespace {

constexpr plan::Phase kPhase{"tls-bootstrap", "kubelet-start", "make the node's key", 0, plan::kIdentity, nullptr, nullptr};

// One phase with everything that can happen in it.
std::string told(FakeHost& host, const Style& style, const Error* failure = nullptr) {
  Captured captured;
  {
    StatusFile status(host, "node1");
    Progress progress(host, style, &status, host.monotonic());
    progress.phase_started(kPhase, 4, 7);
    progress.note("wrote /etc/x");
    progress.note("Starting the kubelet");
    progress.waiting("approval of node-csr-x (kubectl certificate approve node-csr-x)");
    progress.retrying(fail(Kind::unavailable, "http.unreachable", "unable to connect").value(), 1, Millis(200));
    progress.warning(fail(Kind::unfit, "preflight.Swap", "swap is on", "swapoff -a").value());
    progress.detail("a detail");
    progress.milestone("csr-issued");
    progress.phase_ended(kPhase, Millis(45), failure, "");
  }
  return captured.text();
}

}  // namespace

TEST_CASE("report::Progress in every style") {
  const Error failure = fail(Kind::refused, "bootstrap.csr-denied", "denied").value();
  const struct {
    const char* what;
    Style style;
    const Error* failure;
    std::vector<const char*> says, keeps_quiet_about;
  } kRows[] = {
      {"a log", {}, nullptr, {"+ tls-bootstrap      45ms  make the node's key\n", "waiting for approval of node-csr-x", "! tls-bootstrap: attempt 1 failed, next in 200ms: unable to connect", "kubejoin: warning: swap is on [preflight.Swap]\n  hint: swapoff -a"}, {"wrote", "a detail", "\033", "<6>"}},
      {"a failure", {}, &failure, {"x tls-bootstrap      45ms  failed: bootstrap.csr-denied\n"}, {"+ tls"}},
      {"-v", {.verbosity = 1}, nullptr, {"wrote /etc/x"}, {"a detail"}},
      {"-v2", {.verbosity = 2}, nullptr, {"wrote /etc/x", "a detail"}, {}},
      {"journald", {.journald = true}, nullptr, {"<6>+ tls-bootstrap", "<4>! swap is on [preflight.Swap]"}, {"\033"}},
      {"a terminal", {.terminal = true, .colour = true}, nullptr, {"\r\033[K  4/7 tls-bootstrap ...", "\033[33m!\033[0m swap is on"}, {}},
      {"a terminal without colour", {.terminal = true}, nullptr, {"! swap is on"}, {"\033[33m"}},
      {"quiet", {.journald = true, .quiet = true}, nullptr, {"<4>! swap is on"}, {"tls-bootstrap      45ms", "waiting"}},
      {"kubeadm", {.kubeadm = true}, nullptr, {"[kubelet-start] Starting the kubelet\n", "\t[WARNING Swap]: swap is on\n"}, {"+ tls-bootstrap"}},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.what);
    FakeHost host;
    const std::string text = told(host, row.style, row.failure);
    CAPTURE(text);
    for (const char* line : row.says) CHECK_MESSAGE(text.find(line) != std::string::npos, line);
    for (const char* line : row.keeps_quiet_about) CHECK_MESSAGE(text.find(line) == std::string::npos, line);
  }
}

TEST_CASE("report: the status file says where a join is, and is replaced only when that changes") {
  FakeHost host;
  (void)told(host, {});
  rapidjson::Document json;
  json.Parse(host.content(kStatusPath).c_str());
  REQUIRE_FALSE(json.HasParseError());
  CHECK(std::string(json["state"].GetString()) == "running");
  CHECK(std::string(json["nodeName"].GetString()) == "node1");
  CHECK(std::string(json["phase"].GetString()) == "tls-bootstrap");
  CHECK(std::string(json["waitingFor"].GetString()).starts_with("approval of node-csr-x"));
  CHECK(host.files.at(kStatusPath).mode == 0644);
  const int writes = host.count_touches("write /run/kubejoin/status.json");
  StatusFile status(host, "node1");
  for (int i = 0; i < 5; ++i) status.phase("node", 7, 7);
  CHECK(host.count_touches("write /run/kubejoin/status.json") == writes + 1);
}

TEST_CASE("report: systemd hears what is being waited for") {
  FakeHost host;
  host.variables["NOTIFY_SOCKET"] = "@notify";
  (void)told(host, {});
  CHECK(host.touched("send @notify STATUS=tls-bootstrap: make the node's key"));
  CHECK(host.count_touches("send @notify STATUS=tls-bootstrap: waiting for approval") == 1);
}

TEST_CASE("report: a style for where it runs") {
  FakeHost host;
  CHECK_FALSE(style_for(host, false).terminal);
  CHECK(style_for(host, true).colour);
  host.variables["NO_COLOR"] = "1";
  CHECK_FALSE(style_for(host, true).colour);
  host.variables["JOURNAL_STREAM"] = "8:1";
  CHECK(style_for(host, false).journald);
  CHECK_FALSE(style_for(host, true).journald);
}

TEST_CASE("report: the result, for machines") {
  FakeHost host;
  JoinResult result;
  result.state = JoinResult::State::failure;
  result.node_name = "node1";
  result.phase = "discovery";
  result.error = fail(Kind::untrusted, "discovery.pin-mismatch", "no key is pinned", "look").value();
  result.timings = {{"preflight", Millis(4), ""}, {"discovery", Millis(18), "asked for"}};
  result.milestones = {{"trusted", Millis(20)}};
  result.started = host.wall;
  result.took = Millis(22);
  host.put(kStatusPath, "{}");
  REQUIRE(outcome(write_result(host, result)) == "ok");
  CHECK_FALSE(host.stat(kStatusPath));
  CHECK(host.content(kResultPath) == host.content(kLastResultPath));
  rapidjson::Document json;
  json.Parse(host.content(kResultPath).c_str());
  REQUIRE_FALSE(json.HasParseError());
  CHECK(std::string(json["state"].GetString()) == "failure");
  CHECK(std::string(json["error"]["id"].GetString()) == "discovery.pin-mismatch");
  CHECK(json["exitStatus"].GetInt() == 76);
  CHECK(std::string(json["phases"][1]["skipped"].GetString()) == "asked for");
  CHECK(std::string(json["startedAt"].GetString()) == "2026-11-24T00:00:00.000Z");
  CHECK(json["tookMs"].GetInt() == 22);
}
