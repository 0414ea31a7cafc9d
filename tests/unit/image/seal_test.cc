// Seal takes away exactly what the table names, and nothing else; verify agrees.
#include "image/seal.h"

#include "images.h"
#include "image/verify.h"

namespace kubejoin {
namespace {

constexpr char kRoot[] = "/image";

void answer_in(FakeHost& host) {
  host.on_command = [](const Command& command) -> Result<CommandResult> {
    if (command.argv.size() > 2 && command.argv[0] == "chroot" && command.argv[2] == "/usr/bin/kubelet") return CommandResult{0, "Kubernetes v1.37.2\n", ""};
    return fail(Kind::machine, "process.absent", "absent");
  };
}

TEST_CASE("seal: each thing that a build leaves behind is found under its row and taken away; a second seal finds nothing") {
  FakeHost host;
  put_sealed_image(host);
  answer_in(host);
  image::Image image{host, kRoot};
  const auto untouched = host.files;
  put_traces(host);

  const std::vector<std::string> all = found(image::find_traces(image).findings);
  for (const LeftBehind& trace : kLeftBehind) {
    INFO(trace.path);
    CHECK(has(all, std::string(trace.check) + " " + trace.path));
  }
  CHECK(has(all, "tokens /root/.bash_history"));
  CHECK(has(all, "tokens /var/lib/cloud/instances/i-bake/user-data.txt"));
  CHECK(has(all, "tokens /opt/bootstrap/join.sh"));

  const auto report = image::seal(image, false);
  REQUIRE(outcome(report) == "ok");
  CHECK(report->errors.empty());
  CHECK(report->changes.size() >= std::size(kLeftBehind));
  // What was there before the build left its traces is there still, as it was.
  CHECK(host.files.size() == untouched.size());
  for (const auto& [path, file] : untouched) {
    const std::string& where = path;  // clang 14 captures no structured binding
    INFO(where);
    REQUIRE(host.files.contains(path));
    CHECK(host.files[path].content == file.content);
    CHECK(host.files[path].mode == file.mode);
  }

  const auto again = image::seal(image, false);
  REQUIRE(outcome(again) == "ok");
  CHECK(again->changes.empty());
}

TEST_CASE("seal: what stands inside a file is found in its line; the line goes where the system needs the file, else the file") {
  for (const LeftInside& trace : kLeftInside) {
    CAPTURE(trace.path);
    CAPTURE(trace.content);
    FakeHost host;
    put_sealed_image(host);
    answer_in(host);
    host.put("/etc/hostname", "bake\n");
    host.put(trace.path, trace.content, 0640);
    image::Image image{host, kRoot};
    const auto found = image::find_traces(image).findings;
    CHECK(std::any_of(found.begin(), found.end(), [&](const image::Finding& f) { return f.check == trace.check && f.path == trace.path && f.line == trace.line; }));
    const auto dry = image::seal(image, true);
    const auto wet = image::seal(image, false);
    REQUIRE(outcome(wet) == "ok");
    CHECK(dry->changes.size() == wet->changes.size());
    CHECK(host.files.contains(trace.path) == (trace.left != nullptr));
    if (trace.left != nullptr) {
      CHECK(host.content(trace.path) == trace.left);
      CHECK(host.files[trace.path].mode == 0640);
    }
    CHECK(image::find_traces(image).findings.empty());
    for (const std::string& text : {to_text(*wet), to_json(*wet)}) CHECK(text.find("geheim") == std::string::npos);
  }
}

TEST_CASE("seal: Debian's iscsid wants a file that asks for a name") {
  FakeHost host;
  put_sealed_image(host);
  answer_in(host);
  host.put("/usr/lib/open-iscsi/startup-checks.sh", "#!/bin/sh\n", 0755);
  host.put("/etc/iscsi/initiatorname.iscsi", "InitiatorName=iqn.1993-08.org.debian:01:5\n", 0600);
  image::Image image{host, kRoot};
  REQUIRE(outcome(image::seal(image, false)) == "ok");
  CHECK(host.content("/etc/iscsi/initiatorname.iscsi") == "GenerateName=yes\n");
  CHECK(image::find_traces(image).findings.empty());
}

TEST_CASE("seal: what only looks like a trace is left alone") {
  for (const LeftInside& one : kInnocent) {
    CAPTURE(one.content);
    FakeHost host;
    put_sealed_image(host);
    answer_in(host);
    host.put(one.path, one.content);
    image::Image image{host, kRoot};
    const auto found = image::find_traces(image).findings;
    CHECK_MESSAGE(found.empty(), found.front().check << " " << found.front().what);
  }
}

TEST_CASE("seal: a dry run names the same changes and makes none") {
  FakeHost host;
  put_sealed_image(host);
  answer_in(host);
  put_traces(host);
  image::Image image{host, kRoot};
  const auto before = host.files.size();
  const auto dry = image::seal(image, true);
  REQUIRE(outcome(dry) == "ok");
  CHECK(host.files.size() == before);
  CHECK(host.count_touches("remove") == 0);
  CHECK(host.count_touches("write") == 0);
  const auto wet = image::seal(image, false);
  REQUIRE(outcome(wet) == "ok");
  CHECK(wet->changes.size() == dry->changes.size());
}

TEST_CASE("seal: machine-id says uninitialized with mode 0444, whatever it was") {
  for (const char* content : {"", "0123456789abcdef0123456789abcdef\n", "uninitialized\n"}) {
    FakeHost host;
    put_sealed_image(host);
    answer_in(host);
    host.put("/etc/machine-id", content, 0644);
    image::Image image{host, kRoot};
    REQUIRE(outcome(image::seal(image, false)) == "ok");
    CHECK(host.content("/etc/machine-id") == "uninitialized\n");
    CHECK(host.files["/etc/machine-id"].mode == 0444);
  }
  FakeHost host;
  put_sealed_image(host);
  answer_in(host);
  host.files.erase("/etc/machine-id");
  host.put_link("/var/lib/dbus/machine-id", "/etc/machine-id");
  image::Image image{host, kRoot};
  REQUIRE(outcome(image::seal(image, false)) == "ok");
  CHECK(host.content("/etc/machine-id") == "uninitialized\n");
  CHECK(host.files.contains("/var/lib/dbus/machine-id"));  // a link to the id is no copy of it
}

TEST_CASE("seal: --keep leaves out a row, a path, a pattern of paths") {
  FakeHost host;
  put_sealed_image(host);
  answer_in(host);
  put_traces(host);
  image::Image image{host, kRoot, {"logs", "/root/.bash_history", "/etc/ssh/*.pub"}};
  REQUIRE(outcome(image::seal(image, false)) == "ok");
  CHECK(host.files.contains("/var/log/nginx/access.log"));
  CHECK(host.files.contains("/root/.bash_history"));
  CHECK(host.files.contains("/etc/ssh/ssh_host_ed25519_key.pub"));
  CHECK(!host.files.contains("/etc/ssh/ssh_host_ed25519_key"));
  CHECK(!host.files.contains("/home/packer/.python_history"));
}

TEST_CASE("seal: the kubelet's version is written down, once") {
  FakeHost host;
  put_sealed_image(host);
  answer_in(host);
  host.put("/usr/lib/kubejoin/kubelet-version", "Kubernetes v1.20.2\n");
  image::Image image{host, kRoot};
  const auto report = image::seal(image, false);
  REQUIRE(outcome(report) == "ok");
  CHECK(report->changes.size() == 1);
  CHECK(host.content("/usr/lib/kubejoin/kubelet-version") == "Kubernetes v1.37.2\n");
  CHECK(image::seal(image, false)->changes.empty());
}

TEST_CASE("seal: a link is removed, never what it leads to; a link in a home or in a wildcard's place is not entered") {
  FakeHost host;
  put_sealed_image(host);
  answer_in(host);
  host.put("/srv/data/authorized_keys", "ssh-ed25519 AAAA\n");
  host.put_link("/root/.ssh", "/srv/data");
  host.put_link("/home/guest", "/srv/data");
  host.put_link("/tmp/link", "/srv/data");
  image::Image image{host, kRoot};
  REQUIRE(outcome(image::seal(image, false)) == "ok");
  CHECK(host.files.contains("/srv/data/authorized_keys"));
  CHECK(host.files.contains("/root/.ssh"));
  CHECK(!host.files.contains("/tmp/link"));
}

TEST_CASE("seal: a machine whose kubelet runs is a node, and is left alone") {
  FakeHost host;
  put_sealed_image(host);
  put_traces(host);
  host.put_folder("/run/systemd/system");
  host.answer_command("systemctl is-active kubelet.service", CommandResult{0, "active\n", ""});
  image::Image image{host};
  const auto before = host.files.size();
  const auto report = image::seal(image, false);
  CHECK(id_of(report) == "seal.node-runs");
  CHECK(host.files.size() == before);
}

TEST_CASE("seal: in a machine that runs, journald and the random seed are calmed first, and /run is this boot's") {
  FakeHost host;
  put_sealed_image(host);
  put_traces(host);
  host.put_folder("/run/systemd/system");
  host.programs = {"systemctl", "journalctl"};
  image::Image image{host};
  REQUIRE(outcome(image::seal(image, false)) == "ok");
  CHECK(host.touches.front() == "run systemctl is-active kubelet.service");
  CHECK(host.touched("run journalctl --relinquish-var"));
  CHECK(host.content("/run/systemd/system/systemd-random-seed.service.d/50-kubejoin-seal.conf").find("ExecStop=\n") != std::string::npos);
  CHECK(host.touched("run systemctl daemon-reload"));
  CHECK(host.files.contains("/run/kubeadm/kubeadm-join-config.yaml"));
  const auto again = image::seal(image, false);
  REQUIRE(outcome(again) == "ok");
  CHECK(again->changes.empty());
}

TEST_CASE("seal: whatever fails is an error, and the rest is done nevertheless") {
  int failures = 0;
  for (int n = 1; n < 400; ++n) {
    FakeHost host;
    put_sealed_image(host);
    answer_in(host);
    put_traces(host);
    image::Image image{host, kRoot};
    host.fail_at(n);
    const auto report = image::seal(image, false);
    REQUIRE(outcome(report) == "ok");
    if (host.fallible_touches() < n) break;
    const bool removed_all = report->changes.size() >= std::size(kLeftBehind);
    failures += report->errors.empty() ? 0 : 1;
    // Nothing fails in silence: what was not removed is found by the next look.
    if (report->errors.empty() && !removed_all) CHECK(!image::find_traces(image).findings.empty());
    for (const Error& error : report->errors) CHECK(error.message.find(kSecretInImage) == std::string::npos);
  }
  CHECK(failures > 20);
}

}  // namespace
}  // namespace kubejoin
