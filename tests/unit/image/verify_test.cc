// Verify: every check says ok of a sealed image, and fails on exactly its own fault.
#include "image/verify.h"

#include <algorithm>

#include <functional>

#include "images.h"

namespace kubejoin {
namespace {

using Verdict = image::CheckResult::Verdict;

std::vector<std::string> failed(const image::VerifyReport& report) {
  std::vector<std::string> names;
  for (const image::CheckResult& check : report.checks)
    if (check.verdict == Verdict::failed) names.push_back(check.name);
  return names;
}

TEST_CASE("verify: a sealed image passes every check") {
  FakeHost host;
  put_sealed_image(host);
  image::Image image{host};
  const image::VerifyReport report = image::verify(image);
  CHECK(failed(report).empty());
  CHECK(report.is_ok());
  CHECK(report.checks.size() == image::traces().size() + image::checks().size() + 1);
  CHECK(to_text(report).find("the image may be published") != std::string::npos);
  CHECK(host.count_touches("write") + host.count_touches("remove") == 0);
}

TEST_CASE("verify: every trace of a build fails its own check, and no secret is told") {
  for (const LeftBehind& trace : kLeftBehind) {
    FakeHost host;
    put_sealed_image(host);
    host.put(trace.path, "left behind\n", 0600);
    image::Image image{host, std::string_view(trace.check) == "run" ? "/image" : "/"};
    host.on_command = [](const Command&) -> Result<CommandResult> { return CommandResult{0, "Kubernetes v1.37.2\n", ""}; };
    INFO(trace.path);
    CHECK(has(failed(image::verify(image)), trace.check));
  }
  FakeHost host;
  put_sealed_image(host);
  put_traces(host);
  image::Image image{host};
  const image::VerifyReport report = image::verify(image);
  CHECK(!report.is_ok());
  for (const std::string& text : {to_text(report), to_json(report)}) {
    CHECK(text.find(kSecretInImage) == std::string::npos);
    CHECK(text.find("/opt/bootstrap/join.sh") != std::string::npos);
  }
  CHECK(to_text(report).find("/root/.bash_history:2 bootstrap token q7w3fz.…") != std::string::npos);
}

// One fault in an image that is right otherwise, and the one check that tells it.
struct Fault {
  const char* check;
  const char* what;
  std::function<void(FakeHost&)> make;
};

TEST_CASE("verify: each fault of the machine fails exactly its check, with a word for it") {
  const std::vector<Fault> faults = {
      {"kubejoin", "is absent", [](FakeHost& h) { h.files.erase("/usr/bin/kubejoin"); }},
      {"kubejoin", "does not run: wrong machine", [](FakeHost& h) { h = {}; put_sealed_image(h); h.answer_command("/usr/bin/kubejoin version -o short", CommandResult{126, "", "wrong machine\n"}); }},
      {"kubejoin", "may be changed by others than root", [](FakeHost& h) { h.files["/usr/bin/kubejoin"].mode = 0777; }},
      {"kubejoin-unit", "is not enabled", [](FakeHost& h) { h.files.erase("/etc/systemd/system/multi-user.target.wants/kubejoin.service"); }},
      {"kubejoin-unit", "is absent or masked", [](FakeHost& h) { h.put_link("/etc/systemd/system/kubejoin.service", "/dev/null"); }},
      {"kubejoin-unit", "switches kubejoin off", [](FakeHost& h) { h.put("/etc/kubejoin/disabled", ""); }},
      {"units", "ordering cycle", [](FakeHost& h) { h.answer_command("/usr/sbin/systemd-analyze verify --man=no kubejoin.service kubelet.service multi-user.target",
                                                                       CommandResult{0, "", "multi-user.target: Found ordering cycle on kubejoin.service/start\n"}); }},
      {"units", "Unknown key", [](FakeHost& h) { h.answer_command("/usr/sbin/systemd-analyze verify --man=no kubejoin.service kubelet.service multi-user.target",
                                                                    CommandResult{1, "", "kubelet.service:3: Unknown key 'X'\n"}); }},
      {"kubelet", "is absent", [](FakeHost& h) { h.files.erase("/usr/bin/kubelet"); }},
      {"kubelet", "the kubelet says \"Kubernetes v1.37.2\"", [](FakeHost& h) { h.put("/usr/lib/kubejoin/kubelet-version", "Kubernetes v1.36.0\n"); }},
      {"kubelet", "each boot would have to ask", [](FakeHost& h) { h.files.erase("/usr/lib/kubejoin/kubelet-version"); }},
      {"kubelet-unit", "is not enabled", [](FakeHost& h) { h.files.erase("/etc/systemd/system/multi-user.target.wants/kubelet.service"); }},
      {"kubelet-unit", "does not read /var/lib/kubelet/kubeadm-flags.env", [](FakeHost& h) { h.files["/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf"].content = "--config=/var/lib/kubelet/config.yaml --kubeconfig=/etc/kubernetes/kubelet.conf"; }},
      {"runtime", "no container runtime is enabled", [](FakeHost& h) { h.files.erase("/etc/systemd/system/multi-user.target.wants/containerd.service"); }},
      {"runtime", "the CRI socket is ambiguous: containerd and cri-dockerd", [](FakeHost& h) {
         h.put("/usr/lib/systemd/system/cri-docker.socket", "[Socket]\n");
         h.put_link("/etc/systemd/system/sockets.target.wants/cri-docker.socket", "/usr/lib/systemd/system/cri-docker.socket");
         h.put("/usr/bin/cri-dockerd", "x", 0755);
         h.answer_command("/usr/bin/cri-dockerd", CommandResult{0, "cri-dockerd 0.3.4\n", ""}); }},
      {"runtime", "disables the CRI plugin", [](FakeHost& h) { h.put("/etc/containerd/config.toml", "# x\ndisabled_plugins = [\"cri\"]\n"); }},
      {"runtime", "containerd starts containers with it", [](FakeHost& h) { h.files.erase("/usr/sbin/runc"); }},
      {"runtime", "is absent, its unit is enabled", [](FakeHost& h) { h.files.erase("/usr/bin/containerd"); }},
      {"runtime", "does not match the kubelet", [](FakeHost& h) { h.answer_command("/usr/bin/containerd --version", CommandResult{0, "containerd github.com/containerd/containerd 1.4.13 x\n", ""}); }},
      {"programs", "apt-get install coreutils", [](FakeHost& h) { h.files.erase("/usr/sbin/cp"); }},
      {"programs", "apt-get install iptables", [](FakeHost& h) {  // of an older kubelet
         h.put("/usr/lib/kubejoin/kubelet-version", "Kubernetes v1.32.0\n");
         h.answer_command("/usr/bin/kubelet --version", CommandResult{0, "Kubernetes v1.32.0\n", ""});
         h.put("/usr/sbin/ip", "\x7f" "ELF", 0755);
         h.put("/usr/sbin/nsenter", "\x7f" "ELF", 0755);
       }},
      {"swap", "/etc/fstab:2 switches swap on", [](FakeHost& h) { h.put("/etc/fstab", "LABEL=root / ext4 defaults 0 1\n/dev/vda2\tnone\tswap sw 0 0\n"); }},
      {"modules", "nothing loads the kernel module br_netfilter", [](FakeHost& h) { h.put("/usr/lib/modules-load.d/kubejoin.conf", "overlay\n"); }},
      {"modules", "has no module overlay", [](FakeHost& h) { h.put("/lib/modules/6.12.0/modules.dep", "kernel/net/bridge/br_netfilter.ko.xz: kernel/net/bridge/bridge.ko.xz\n"); }},
      {"sysctl", "nothing sets net.ipv4.ip_forward", [](FakeHost& h) { h.put("/usr/lib/sysctl.d/50-kubejoin.conf", "-net.bridge.bridge-nf-call-iptables = 1\n"); }},
      {"sysctl", "sets net.ipv4.ip_forward = \"0\"", [](FakeHost& h) { h.put("/etc/sysctl.d/99-harden.conf", "net/ipv4/ip_forward=0\n"); }},
      {"ssh-keygen", "nobody makes the SSH host keys", [](FakeHost& h) { h.put("/usr/sbin/sshd", "x", 0755); }},
  };
  for (const Fault& fault : faults) {
    FakeHost host;
    put_sealed_image(host);
    fault.make(host);
    image::Image image{host};
    const image::VerifyReport report = image::verify(image);
    INFO(fault.what);
    CHECK(failed(report) == std::vector<std::string>{fault.check});
    CHECK(to_text(report).find(fault.what) != std::string::npos);
    CHECK(to_text(report).find("the image must not be published") != std::string::npos);
    // What the user knows and wants is said in the command.
    image::Image kept{host, "/", {fault.check}};
    CHECK(image::verify(kept).is_ok());
  }
}

TEST_CASE("verify: what is no identity of the build is named and does not fail") {
  const struct {
    const char *path, *content, *check, *says;
  } kLeft[] = {
      {"/etc/cni/net.d/10-calico.conflist", "{\"name\": \"k8s-pod-network\"}", "cni-config", "/etc/cni/net.d/10-calico.conflist is a cluster's pod network (calico)"},
      {"/etc/apt/apt.conf.d/90proxy", "Acquire::http::Proxy \"http://build-proxy:3128\";\n", "proxies", "/etc/apt/apt.conf.d/90proxy:1 sends every clone through a proxy"},
      {"/etc/shadow", "daemon:*:1::::::\nroot:$6$a$b:1::::::\n", "logins", "/etc/shadow:2 \"root\" has the same password"},
      {"/etc/shadow", "guest::1::::::\n", "logins", "needs no password"},
      {"/etc/sudoers.d/packer", "packer ALL=(ALL) NOPASSWD: ALL\n", "logins", "lets \"packer\" do everything"},
      {"/var/lib/snapd/device/private-keys-v1/x", "k", "bound-state", "snapd's serial"},
  };
  for (const auto& row : kLeft) {
    FakeHost host;
    put_sealed_image(host);
    host.put(row.path, row.content);
    image::Image image{host};
    const image::VerifyReport report = image::verify(image);
    INFO(row.path);
    CHECK(report.is_ok());
    CHECK(to_text(report).find("\nnote  ") != std::string::npos);
    CHECK(to_text(report).find(row.says) != std::string::npos);
    const std::string check = "\"name\":\"" + std::string(row.check) + "\"";
    const std::string json = to_json(report);
    CHECK(json.find("\"note\":\"" + std::string(row.path), json.find(check)) != std::string::npos);
    for (const char* kept : {row.check, row.path}) {
      image::Image left{host, "/", {kept}};
      CHECK(to_text(image::verify(left)).find("\nnote  ") == std::string::npos);
    }
  }
}

TEST_CASE("verify: an image mounted read-only has its units unchecked, and that is said") {
  FakeHost host;
  put_sealed_image(host);
  host.answer_command("/usr/sbin/systemd-analyze verify --man=no kubejoin.service kubelet.service multi-user.target",
                      CommandResult{1, "", "Failed to setup working directory: Read-only file system\n"});
  image::Image image{host};
  const image::VerifyReport report = image::verify(image);
  CHECK(report.is_ok());
  const auto units = std::find_if(report.checks.begin(), report.checks.end(), [](const image::CheckResult& check) { return check.name == "units"; });
  REQUIRE(units != report.checks.end());
  CHECK(units->verdict == image::CheckResult::Verdict::skipped);
  CHECK(to_text(report).find("Read-only file system: mount the image read-write") != std::string::npos);
}

TEST_CASE("verify: a place that cannot be looked into is a finding") {
  int failures = 0;
  for (int n = 1; n < 300; ++n) {
    FakeHost host;
    put_sealed_image(host);
    host.put("/var/lib/kubelet/pki/key.pem", "x");
    image::Image image{host};
    host.fail_at(n);
    const image::VerifyReport report = image::verify(image);
    if (host.fallible_touches() < n) break;
    if (has(failed(report), "readable")) ++failures;
  }
  CHECK(failures > 20);
}

TEST_CASE("verify: sshd's keys are made by cloud-init, or by a unit of its own") {
  for (const char* maker : {"/usr/lib/systemd/system/cloud-init-network.service", "/usr/lib/systemd/system/sshd-keygen@.service", "/etc/systemd/system/regenerate-ssh-host-keys.service"}) {
    FakeHost host;
    put_sealed_image(host);
    host.put("/usr/sbin/sshd", "x", 0755);
    host.put(maker, "[Service]\n");
    image::Image image{host};
    INFO(maker);
    CHECK(failed(image::verify(image)).empty());
  }
}

}  // namespace
}  // namespace kubejoin
