// A dry run tells all, changes nothing, and sees what it would have done.
#include "../fake_host.h"
#include "../test.h"
#include "base/recording_host.h"

using namespace kubejoin;

namespace {

struct DryRun {
  FakeHost machine;
  std::vector<std::string> told;
  DryRunHost host{machine, [this](const std::string& line) { told.push_back(line); }};
};

}  // namespace

TEST_CASE("writes are told, remembered and not done") {
  DryRun dry;
  dry.machine.put("/etc/kubernetes/old", "old");
  REQUIRE(outcome(dry.host.write("/var/lib/kubelet/config.yaml", "kind: x\n", 0644)) == "ok");
  REQUIRE(outcome(dry.host.write("/etc/kubernetes/kubelet.conf", "secret", 0600)) == "ok");
  REQUIRE(outcome(dry.host.symlink("../kubelet.service", "/etc/wants/kubelet.service")) == "ok");
  REQUIRE(outcome(dry.host.rename("/etc/kubernetes/old", "/etc/kubernetes/new")) == "ok");
  REQUIRE(outcome(dry.host.remove("/etc/kubernetes/absent")) == "ok");
  CHECK(dry.told == std::vector<std::string>{"would write /var/lib/kubelet/config.yaml (0644, 8 bytes)",
                                             "would make folder /var (0755)", "would make folder /var/lib (0755)",
                                             "would make folder /var/lib/kubelet (0755)",
                                             "would write /etc/kubernetes/kubelet.conf (0600, 6 bytes)",
                                             "would link /etc/wants/kubelet.service -> ../kubelet.service",
                                             "would rename /etc/kubernetes/old to /etc/kubernetes/new"});
  CHECK(dry.machine.touches.empty());

  CHECK(dry.host.read("/var/lib/kubelet/config.yaml") == "kind: x\n");
  CHECK(dry.host.stat("/etc/kubernetes/kubelet.conf")->mode == 0600);
  CHECK(dry.host.read("/etc/kubernetes/new") == "old");
  CHECK(id_of(dry.host.read("/etc/kubernetes/old")) == "file.absent");
  CHECK(dry.host.list("/etc/kubernetes").value() == std::vector<std::string>{"kubelet.conf", "new"});
  CHECK(id_of(dry.host.read("/var/lib/kubelet/config.yaml", 7)) == "file.too-large");
}

TEST_CASE("a removed tree is gone for the rest of the run") {
  DryRun dry;
  dry.machine.put("/opt/a/b", "x");
  REQUIRE(outcome(dry.host.remove_tree("/opt/a")) == "ok");
  CHECK(!dry.host.stat("/opt/a"));
  CHECK(!dry.host.stat("/opt/a/b"));
  CHECK(id_of(dry.host.list("/opt/a")) == "file.absent");
  CHECK(dry.machine.files.count("/opt/a/b") == 1);
}

TEST_CASE("commands are told; only those that change nothing run") {
  DryRun dry;
  dry.machine.answer_command("kubelet --version", CommandResult{.out = "Kubernetes v1.37.2\n"});
  CHECK(dry.host.run({.argv = {"systemctl", "start", "kubelet"}})->out.empty());
  CHECK(dry.host.run({.argv = {"kubelet", "--version"}, .changes_nothing = true})->out == "Kubernetes v1.37.2\n");
  CHECK(dry.told == std::vector<std::string>{"would run systemctl start kubelet", "runs kubelet --version"});
  CHECK(dry.machine.touches == std::vector<std::string>{"run kubelet --version"});
}

TEST_CASE("what reads is sent; what changes is answered as if") {
  DryRun dry;
  dry.machine.answer("GET /version", {.body = "v1"});
  dry.machine.answer("PUT /latest/api/token", {.body = "token"});
  const auto api = dry.host.open_http({});
  HttpRequest token{.method = "PUT", .url = "http://h/latest/api/token", .changes_nothing = true},
      post{.method = "POST", .url = "https://h/csr?dry=no", .body = "{}"};
  int heard = 0;
  post.on_done = [&](const Result<HttpResponse>& answer) { return heard = answer->status, Flow::go_on; };
  const auto answers =
      api->run({post, {.url = "https://h/version"}, token, {.url = "https://h/watch", .stream = true}});
  CHECK(answers[0]->body == "{}");
  CHECK(heard == 201);
  CHECK(answers[1]->body == "v1");
  CHECK(answers[2]->body == "token");
  CHECK(id_of(answers[3]) == "http.dry-run");
  CHECK(dry.machine.touches == std::vector<std::string>{"GET https://h/version", "PUT http://h/latest/api/token"});
  CHECK(dry.told.front() == "would send POST https://h/csr");
  CHECK(api->run({post})[0]->status == 201);  // nothing harmless to send
}
