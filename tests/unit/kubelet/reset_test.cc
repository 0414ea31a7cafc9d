// A reset: what goes, what stays, and that a run that was cut off anywhere is finished by the next.
#include "kubelet/reset.h"

#include "../fake_host.h"
#include "../test.h"
#include "plan/state.h"

using namespace kubejoin;

namespace {

void prepare(FakeHost& host) {
  host.programs = {"systemctl", "umount"};
  for (const char* path : {"/etc/kubernetes/kubelet.conf", "/etc/kubernetes/ssl/ca.crt", "/etc/kubernetes/pki/ca.crt", "/etc/kubernetes/keep.yaml", "/var/lib/kubelet/config.yaml",
                           "/var/lib/kubelet/pki/kubelet-client-current.pem", "/run/kubejoin/result.json", "/var/lib/kubejoin/last-result.json"})
    host.put(path, "x");
  plan::Journal journal;
  journal.node_name = "node1";
  journal.joined_at = "2026-11-24T00:00:00Z";
  journal.files = {"/etc/kubernetes/kubelet.conf", "/etc/kubernetes/ssl/ca.crt"};
  REQUIRE(plan::write_journal(host, journal));
  host.put("/proc/mounts", "tmpfs /var/lib/kubelet tmpfs rw 0 0\ntmpfs /var/lib/kubelet/a\\040b tmpfs rw 0 0\ntmpfs /var/lib/kubelet/a\\040b/c tmpfs rw 0 0\ntmpfs /var/lib/kubelet2 tmpfs rw 0 0\n");
  host.on_command = [&host](const Command& command) -> Result<CommandResult> {
    if (command.argv.front() == "umount" && command.argv.back() == "/var/lib/kubelet/a b") host.put("/proc/mounts", "tmpfs /var/lib/kubelet tmpfs rw 0 0\n");
    return CommandResult{};
  };
  host.touches.clear();
}

kubelet::Reset wish() {
  kubelet::Reset reset;
  reset.cri_socket = "unix:///run/containerd/containerd.sock";
  reset.say = [](const std::string&) {};
  reset.warn = [](const Error&) {};
  return reset;
}

void is_clean(FakeHost& host) {
  for (const char* path : {"/etc/kubernetes/kubelet.conf", "/etc/kubernetes/ssl/ca.crt", "/etc/kubernetes/pki/ca.crt", "/var/lib/kubelet/config.yaml",
                           "/var/lib/kubelet/pki/kubelet-client-current.pem", "/run/kubejoin/result.json", "/var/lib/kubejoin/last-result.json", plan::kJournal})
    CHECK_MESSAGE(!host.stat(path), path);
  CHECK(host.stat("/etc/kubernetes/keep.yaml"));
}

}  // namespace

TEST_CASE("a reset takes what kubeadm's takes, what the join wrote elsewhere, and the records; the last mount goes first") {
  FakeHost host;
  prepare(host);
  CHECK(kubelet::reset(host, wish()));
  is_clean(host);
  REQUIRE(host.commands.size() == 3);
  CHECK(host.commands[0].argv == std::vector<std::string>{"systemctl", "stop", "kubelet"});
  CHECK(host.commands[1].argv == std::vector<std::string>{"umount", "--", "/var/lib/kubelet/a b/c"});
  CHECK(host.commands[2].argv == std::vector<std::string>{"umount", "--", "/var/lib/kubelet/a b"});
}

TEST_CASE("nothing is removed below a mount that stays") {
  FakeHost host;
  prepare(host);
  host.on_command = [](const Command&) -> Result<CommandResult> { return CommandResult{.status = 32, .out = "", .err = "umount: target is busy."}; };
  const Status done = kubelet::reset(host, wish());
  CHECK(id_of(done) == "reset.unmount");
  CHECK(host.stat("/var/lib/kubelet/config.yaml"));
  CHECK(host.stat(plan::kJournal));
}

TEST_CASE("a reset that died at any touch is finished by the next one") {
  int died = 0;
  for (int n = 1;; ++n) {
    FakeHost host;
    prepare(host);
    host.die_at(n);
    bool is_dead = false;
    try {
      (void)kubelet::reset(host, wish());
    } catch (const FakeHost::Death&) {
      is_dead = true;
    }
    if (!is_dead) break;
    ++died;
    CHECK(kubelet::reset(host, wish()));
    is_clean(host);
  }
  CHECK(died > 10);
}
