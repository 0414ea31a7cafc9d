// Every check of preflight by its upstream name: on a machine that is fit, and on one that lacks just that.
#include "preflight/checks.h"

#include "../cli/world.h"
#include "kube/cri.h"

using namespace kubejoin;

namespace {

const FakeHost::Answer kUnimplemented{.headers = {{"grpc-status", "12"}, {"grpc-message", "unknown service"}}};

void put_addresses(FakeHost& host) {
  host.put("/proc/net/fib_trie", "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.0.0.0\n        /24 link UNICAST\n     |-- 10.0.0.7\n        /32 host LOCAL\n     |-- 127.0.0.1\n        /32 host LOCAL\n");
  host.put("/proc/net/if_inet6", "20010db8000000000000000000000007 02 40 00 80     eth0\n00000000000000000000000000000001 01 80 10 80       lo\n");
}

// A runtime of one version of CRI.
void let_speak(World& w, const std::string& version) {
  const FakeHost::Answer status = w.host.on_request(kube::cri_status_request(kube::kCriServices[0]));
  for (const char* method : {"/Status", "/RuntimeConfig"}) w.host.answer("POST /runtime.v1.RuntimeService" + std::string(method), kUnimplemented);
  w.host.answer("POST /runtime." + version + ".RuntimeService/Status", status);
}

struct Row {
  const char* name;  // kubeadm's
  const char* what;
  void (*spoil)(World& w);
  bool fatal;
  const char* says;
  const char* release = "1.37";
};

// A machine of a row, before it is spoilt; what only an old release asks for is known before discovery where the image tells the kubelet's.
struct RowWorld : World {
  explicit RowWorld(const Row& row) : World(row.release == std::string("1.20") ? "1.20" : "1.37") {
    if (row.release == std::string("1.38")) cluster.pretend(38);
    if (row.release != std::string("1.37")) host.put("/usr/lib/kubejoin/kubelet-version", "Kubernetes v" + std::string(row.release) + ".2\n");
  }
};

const Row kRows[] = {
    {"IsPrivilegedUser", "not root", [](World& w) { w.host.uid = 1000; }, true, "user is not running as root"},
    {"FileAvailable--etc-kubernetes-kubelet.conf", "joined before", [](World& w) { w.host.put("/etc/kubernetes/kubelet.conf", ""); }, true, "already exists"},
    {"FileAvailable--etc-kubernetes-bootstrap-kubelet.conf", "a join under way", [](World& w) { w.host.put("/etc/kubernetes/bootstrap-kubelet.conf", ""); }, true, "already exists"},
    {"FileAvailable--etc-kubernetes-pki-ca.crt", "a CA", [](World& w) { w.host.put("/etc/kubernetes/pki/ca.crt", ""); }, true, "already exists"},
    {"CRI", "no socket", [](World& w) { w.host.files.erase("/run/containerd/containerd.sock"); }, true, "does not exist"},
    {"CRI", "nobody behind it", [](World& w) {
       w.host.answer("POST /runtime.v1.RuntimeService/Status", {.error = fail(Kind::unavailable, "http.unreachable", "connection refused").value()});
     }, true, "connection refused"},
    {"ContainerRuntimeVersion", "an old one", [](World& w) {
       w.host.answer("POST /runtime.v1.RuntimeService/RuntimeConfig", {.headers = {{"grpc-status", "12"}, {"grpc-message", "unknown method"}}});
     }, false, "RuntimeConfig"},
    {"FileContent--proc-sys-net-ipv4-ip_forward", "off", [](World& w) { w.host.put("/proc/sys/net/ipv4/ip_forward", "0\n"); }, true, "not set to 1"},
    {"FileContent--proc-sys-net-ipv4-ip_forward", "absent", [](World& w) { w.host.files.erase("/proc/sys/net/ipv4/ip_forward"); }, true, "does not exist"},
    {"Swap", "on", [](World& w) { w.host.put("/proc/swaps", "Filename Type\n/swap file\n"); }, false, "swap"},
    {"FileExisting-ip", "absent", [](World& w) { w.host.programs.erase("ip"); }, true, "not found in system path", "1.20"},
    {"FileExisting-iptables", "absent", [](World& w) { w.host.programs.erase("iptables"); }, true, "not found in system path", "1.20"},
    {"FileExisting-mount", "absent", [](World& w) { w.host.programs.erase("mount"); }, true, "not found in system path"},
    {"FileExisting-nsenter", "absent", [](World& w) { w.host.programs.erase("nsenter"); }, true, "not found in system path", "1.20"},
    {"FileExisting-ethtool", "absent", [](World& w) { w.host.programs.erase("ethtool"); }, false, "not found in system path", "1.20"},
    {"FileExisting-tc", "absent", [](World& w) { w.host.programs.erase("tc"); }, false, "not found in system path", "1.20"},
    {"FileExisting-touch", "absent", [](World& w) { w.host.programs.erase("touch"); }, false, "not found in system path", "1.20"},
    {"FileExisting-losetup", "absent", [](World& w) { w.host.programs.erase("losetup"); }, true, "not found in system path"},
    {"FileExisting-cp", "absent", [](World& w) { w.host.programs.erase("cp"); }, true, "not found in system path"},
    {"FileExisting-conntrack", "absent", [](World& w) { w.host.programs.erase("conntrack"); }, true, "not found in system path", "1.20"},
    {"Swap", "on, before 1.28", [](World& w) { w.host.put("/proc/swaps", "Filename Type\n/swap file\n"); }, true, "not supported", "1.20"},
    {"SystemVerification", "cgroups v1", [](World& w) {
       w.host.files.erase("/sys/fs/cgroup/cgroup.controllers");
       w.host.put("/proc/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t1\t1\t1\ncpu\t2\t1\t1\nmemory\t3\t1\t1\n");
     }, false, "cgroups v1"},  // the recorded cluster has failCgroupV1: false
    {"SystemVerification", "no memory cgroup", [](World& w) {
       w.host.files.erase("/sys/fs/cgroup/cgroup.controllers");
       w.host.put("/proc/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t1\t1\t1\ncpu\t2\t1\t1\nmemory\t3\t1\t0\n");
     }, true, "missing required cgroups: memory", "1.20"},
    {"SystemVerification", "an old kernel", [](World& w) { w.host.put("/proc/sys/kernel/osrelease", "5.9.0-1-amd64\n"); }, false, "unsupported kernel release"},
    {"SystemVerification", "a very old kernel", [](World& w) { w.host.put("/proc/sys/kernel/osrelease", "3.9.0\n"); }, true, "unsupported kernel release", "1.20"},
    {"Hostname", "does not resolve", [](World& w) { w.host.names.clear(); }, false, "could not be reached"},
    {"Hostname", "not named yet", [](World& w) { w.config.node_name = "localhost"; }, true, "is still \"localhost\""},
    {"Hostname", "not named yet, in a domain", [](World& w) { w.config.node_name = "localhost.localdomain"; }, true, "is still"},
    {"NodeIP", "of no interface", [](World& w) {
       put_addresses(w.host);
       w.config.kubelet_extra_args = {{"node-ip", "10.0.0.9"}};
     }, true, "\"10.0.0.9\" is on no interface"},
    {"NodeIP", "one of two", [](World& w) {
       put_addresses(w.host);
       w.config.first_boot.node_ip = "10.0.0.7,2001:db8::9";
     }, true, "\"2001:db8::9\" is on no interface"},
    {"CRI", "v1alpha2 alone", [](World& w) { let_speak(w, "v1alpha2"); }, true, "speaks CRI v1alpha2 alone"},
    {"CRI", "v1 alone", [](World& w) { w.host.answer("POST /runtime.v1alpha2.RuntimeService/Version", kUnimplemented); }, true, "does not speak CRI v1alpha2", "1.20"},
    {"FileExisting-getent", "absent", [](World& w) { w.host.programs.erase("getent"); }, false, "not found in system path", "1.38"},
    {"KubeletVersion", "no kubelet", [](World& w) { w.host.programs.erase("kubelet"); }, true, "kubelet"},
    {"Service-kubelet", "no unit", [](World& w) { w.host.files.erase("/usr/lib/systemd/system/kubelet.service"); }, false, "kubelet service does not exist"},
    {"Service-Kubelet", "no unit", [](World& w) { w.host.files.erase("/usr/lib/systemd/system/kubelet.service"); }, false, "kubelet service does not exist", "1.20"},
    {"Port-10250", "in use", [](World& w) { w.host.busy_ports.insert(10250); }, true, "Port 10250 is in use"},
    {"HTTPProxy", "on the way", [](World& w) { w.host.variables["HTTPS_PROXY"] = "http://proxy:3128"; }, false, "proxy"},
};

}  // namespace

TEST_CASE("preflight: a fit machine has nothing to hear, and no child is started") {
  World w;
  const ToldJoin told = join(w.host, w.config);
  REQUIRE(shown(told.result) == "ok");
  CHECK(told.result.warnings.empty());
  for (const Command& command : w.host.commands) CHECK(command.argv.front() == "systemctl");
}

TEST_CASE("preflight: each check finds what it is for, with a hint, and can be made a warning by its name") {
  for (const Row& row : kRows) {
    CAPTURE(row.name);
    CAPTURE(row.what);
    RowWorld w(row);
    row.spoil(w);
    w.before = w.host.files;
    const ToldJoin told = join(w.host, w.config);
    CHECK(told.result.error.has_value() == row.fatal);
    const Error* finding = row.fatal ? (told.result.error ? &*told.result.error : nullptr) : (told.result.warnings.size() == 1 ? &told.result.warnings[0] : nullptr);
    REQUIRE(finding != nullptr);
    CHECK(finding->id == "preflight." + std::string(row.name));
    CHECK_MESSAGE(finding->message.find(row.says) != std::string::npos, finding->message);
    CHECK_FALSE(finding->hint.empty());
    if (!row.fatal) continue;
    CHECK(finding->kind == Kind::unfit);
    for (const HttpRequest& request : w.host.requests) CHECK_FALSE(request.url.starts_with("https://"));  // nobody was bothered
    CHECK(w.host.files.size() == w.before.size() + 2);                                                    // the result's records
    for (const std::string& ignored : {lower(row.name), std::string("all")}) {
      RowWorld again(row);
      row.spoil(again);
      again.config.ignore_preflight_errors = {ignored};
      const ToldJoin second = join(again.host, again.config);
      REQUIRE_FALSE(second.result.warnings.empty());
      CHECK(second.result.warnings[0].id == finding->id);
      CHECK(second.result.phase != "preflight");
    }
  }
}

TEST_CASE("preflight: what a release does not ask for is not told") {
  for (const Row& row : kRows) {
    if (row.release == std::string("1.37") || row.name == std::string("SystemVerification")) continue;
    CAPTURE(row.name);
    World w;
    row.spoil(w);
    const ToldJoin told = join(w.host, w.config);
    CHECK(shown(told.result) == "ok");
    for (const Error& warning : told.result.warnings) CHECK(warning.id != "preflight.Service-Kubelet");
    CHECK(told.result.warnings.size() == (std::set<std::string>{"Swap", "Service-Kubelet"}.contains(row.name) ? 1 : 0));  // warnings now, under this name or another
  }
}

TEST_CASE("preflight: a kubelet that is newer or much older than the cluster is told of before anything is written") {
  const struct {
    int kubelet, cluster;
    const char* says;
  } kPairs[] = {
      {38, 37, "higher than the control plane version"},
      {37, 37, ""},
      {34, 37, ""},
      {33, 37, "Kubelet version 1.33 is too old"},
      {25, 28, ""},
      {24, 27, "Kubelet version 1.24 is too old"},  // up to 1.27 two releases apart
      {25, 27, ""},
      {29, 28, "higher than the control plane version"},
  };
  for (const auto& row : kPairs) {
    CAPTURE(row.kubelet);
    CAPTURE(row.cluster);
    World w;
    w.cluster.pretend(row.cluster);
    w.host.put("/usr/lib/kubejoin/kubelet-version", "Kubernetes v1." + std::to_string(row.kubelet) + ".0\n");
    w.before = w.host.files;
    const ToldJoin told = join(w.host, w.config);
    CHECK(shown(told.result) == "ok");
    const auto finding = std::find_if(told.result.warnings.begin(), told.result.warnings.end(), [](const Error& e) { return e.id == "preflight.KubeletVersion"; });
    CHECK((finding != told.result.warnings.end()) == (*row.says != '\0'));
    if (finding == told.result.warnings.end()) continue;
    CHECK_MESSAGE(finding->message.find(row.says) != std::string::npos, finding->message);
    CHECK_FALSE(finding->hint.empty());
    const std::size_t warned = told.printed.find(row.says);
    CHECK(warned < told.printed.find("tls-bootstrap"));
  }
}

TEST_CASE("preflight: all that is wrong is told together") {
  World w;
  for (const Row& row : kRows)
    if (std::string(row.what) != "no socket" && std::string(row.what) != "absent") row.spoil(w);
  w.host.put("/proc/sys/net/ipv4/ip_forward", "0\n");
  const ToldJoin told = join(w.host, w.config);
  REQUIRE(told.result.error.has_value());
  CHECK(told.result.error->id == "preflight.failed");
  CHECK(told.result.error->kind == Kind::unfit);
  for (const char* name : {"IsPrivilegedUser", "FileAvailable--etc-kubernetes-kubelet.conf", "CRI", "FileContent--proc-sys-net-ipv4-ip_forward", "KubeletVersion", "Port-10250"})
    CHECK_MESSAGE(told.printed.find("[ERROR " + std::string(name) + "]: ") != std::string::npos, name);
  CHECK(told.result.error->causes.size() >= 8);
}

TEST_CASE("preflight: an IPv6 endpoint asks for IPv6 forwarding") {
  World w;
  w.config.token_discovery->endpoints = {"[fd00::1]:6443"};
  const plan::JoinState state(w.config);
  std::set<std::string> names;
  for (const preflight::Check& check : preflight::checks_for(state)) names.insert(check.name);
  CHECK(names.contains("FileContent--proc-sys-net-ipv6-conf-default-forwarding"));
  CHECK_FALSE(names.contains("FileContent--proc-sys-net-ipv4-ip_forward"));
}

TEST_CASE("preflight: which runtime (kubeadm util/runtime_test.go of 1.24 and later)") {
  const std::string containerd = "/var/run/containerd/containerd.sock", crio = "/var/run/crio/crio.sock", docker = "/var/run/cri-dockerd.sock";
  const struct {
    std::string configured;
    std::vector<std::string> sockets;
    std::string found;
  } kSockets[] = {
      {"", {}, "unix://" + containerd},
      {"", {containerd}, "unix://" + containerd},
      {"", {crio}, "unix://" + crio},
      {"", {docker}, "unix://" + docker},
      {"", {containerd, crio}, "preflight.cri-ambiguous"},
      {"", {containerd, crio, docker}, "preflight.cri-ambiguous"},
      {"unix:///my.sock", {containerd, crio}, "unix:///my.sock"},
  };
  for (const auto& row : kSockets) {
    CAPTURE(row.found);
    FakeHost host;
    for (const std::string& path : row.sockets) host.put_socket(path);
    const auto found = preflight::detect_cri_socket(host, row.configured);
    CHECK((found ? *found : found.error().id) == row.found);
    if (found) continue;
    CHECK(found.error().kind == Kind::unfit);
    for (const std::string& path : row.sockets) CHECK(found.error().message.find(path) != std::string::npos);
  }
  FakeHost no_socket;
  no_socket.put(containerd, "a file");
  no_socket.put_socket(crio);
  CHECK(preflight::detect_cri_socket(no_socket, "").value() == "unix://" + crio);
}

TEST_CASE("preflight: a runtime of before 2020 is asked in its own version") {
  World w("1.20");
  let_speak(w, "v1alpha2");
  CHECK(shown(join(w.host, w.config).result) == "ok");

  // With a kubelet that wants v1 it is refused before anybody is bothered, also where only the kubelet itself tells its release.
  World asked;
  asked.host.files.erase("/usr/lib/kubejoin/kubelet-version");
  asked.host.answer_command("kubelet --version", CommandResult{0, "Kubernetes v1.26.0\n", ""});
  let_speak(asked, "v1alpha2");
  const ToldJoin refused = join(asked.host, asked.config);
  REQUIRE(refused.result.error.has_value());
  CHECK(refused.result.error->id == "preflight.CRI");
  CHECK(refused.result.phase == "preflight");
  World older;
  older.cluster.pretend(25);
  older.host.files.erase("/usr/lib/kubejoin/kubelet-version");
  older.host.answer_command("kubelet --version", CommandResult{0, "Kubernetes v1.25.0\n", ""});
  let_speak(older, "v1alpha2");
  CHECK(shown(join(older.host, older.config).result) == "ok");

  World neither;
  for (const char* service : {"v1", "v1alpha2"})
    neither.host.answer("POST /runtime." + std::string(service) + ".RuntimeService/Status", {.headers = {{"grpc-status", "12"}}});
  const ToldJoin told = join(neither.host, neither.config);
  REQUIRE(told.result.error.has_value());
  CHECK(told.result.error->id == "preflight.CRI");
}

namespace {

// What the runtime says of its cgroup driver, in its own way.
std::string message(char tag, const std::string& bytes) {
  std::string size(1, static_cast<char>(bytes.size() & 0x7F));
  if (bytes.size() > 0x7F) size = std::string{static_cast<char>((bytes.size() & 0x7F) | 0x80), static_cast<char>(bytes.size() >> 7)};
  return tag + size + bytes;
}
FakeHost::Answer framed(const std::string& bytes) {
  const std::string size{0, 0, 0, static_cast<char>(bytes.size() >> 8), static_cast<char>(bytes.size() & 0xFF)};
  return {.headers = {{"grpc-status", "0"}}, .body = size + bytes};
}
void let_runtime_have(World& w, const std::string& driver, bool tells) {
  if (tells) return w.host.answer("POST /runtime.v1.RuntimeService/RuntimeConfig", framed(message('\x0a', driver == "systemd" ? std::string() : std::string("\x08\x01", 2))));
  w.host.answer("POST /runtime.v1.RuntimeService/RuntimeConfig", kUnimplemented);
  const std::string ready = message('\x0a', message('\x0a', message('\x0a', "RuntimeReady") + std::string("\x10\x01", 2)));
  const std::string config = R"({"containerd":{"defaultRuntimeName":"runc","runtimes":{"runc":{"runtimeType":"io.containerd.runc.v2","options":{"SystemdCgroup":)" +
                             std::string(driver == "systemd" ? "true" : "false") + "}}}}}";
  w.host.answer("POST /runtime.v1.RuntimeService/Status", framed(ready + message('\x12', message('\x0a', "config") + message('\x12', config))));
}
bool sent_csr(const World& w) {
  return std::any_of(w.host.requests.begin(), w.host.requests.end(), [](const HttpRequest& r) { return r.url.find("certificatesigningrequests") != std::string::npos; });
}

}  // namespace

TEST_CASE("preflight: the kubelet's configuration decides about cgroups v1, before the cluster is asked for a certificate") {
  const struct {
    int kubelet;
    const char *patch, *argument;
    bool fatal;
    bool warned;
  } kCases[] = {
      {30, "failCgroupV1: null", "", false, false},
      {34, "failCgroupV1: null", "", false, true},
      {34, "failCgroupV1: true", "", true, true},
      {35, "failCgroupV1: null", "", true, false},
      {37, "failCgroupV1: null", "", true, false},
      {37, "failCgroupV1: true", "", true, false},
      {37, "failCgroupV1: false", "", false, true},
      {37, "failCgroupV1: null", "false", false, true},  // the argument has the last word
      {37, "failCgroupV1: false", "true", true, false},
  };
  for (const bool is_baked : {true, false}) {
    for (const auto& one : kCases) {
      CAPTURE(one.kubelet);
      CAPTURE(one.patch);
      CAPTURE(one.argument);
      CAPTURE(is_baked);
      World w;
      w.cluster.pretend(37);
      const std::string version = "Kubernetes v1." + std::to_string(one.kubelet) + ".0\n";
      w.host.put("/usr/lib/kubejoin/kubelet-version", version);
      if (!is_baked) {
        w.host.files.erase("/usr/lib/kubejoin/kubelet-version");
        w.host.answer_command("kubelet --version", CommandResult{0, version, ""});
      }
      w.host.files.erase("/sys/fs/cgroup/cgroup.controllers");
      w.host.put("/proc/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t1\t1\t1\ncpu\t2\t1\t1\nmemory\t3\t1\t1\n");
      w.config.kubelet_patch = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n" + std::string(one.patch) + "\n";
      if (*one.argument != '\0') w.config.kubelet_extra_args = {{"fail-cgroupv1", one.argument}};
      const ToldJoin told = join(w.host, w.config);
      CHECK(told.result.error.has_value() == one.fatal);
      CHECK(sent_csr(w) == !one.fatal);
      if (told.result.error) CHECK(told.result.error->id == "preflight.SystemVerification");
      if (!one.fatal) CHECK((told.printed.find("maintenance mode") != std::string::npos) == one.warned);
      if (!one.fatal) continue;
      w.config.ignore_preflight_errors = {"systemverification"};
      CHECK(shown(join(w.host, w.config).result) == "ok");
    }
  }
  // `join phase preflight` sees no cluster: as kubeadm, which never looks.
  World alone;
  alone.host.files.erase("/sys/fs/cgroup/cgroup.controllers");
  alone.host.put("/proc/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\n");
  plan::JoinState state(alone.config);
  state.kubelet_minor = 37;
  for (const preflight::Check& check : preflight::checks_for(state)) {
    preflight::Findings findings;
    check.run(alone.host, findings);
    if (findings.later.empty() || check.name != "SystemVerification") continue;
    CHECK(std::any_of(findings.later.begin(), findings.later.end(), [](const plan::Finding& f) { return f.presumed && f.fatal && f.from == 35; }));
  }
}

TEST_CASE("preflight: the runtime's cgroup driver and the kubelet's are one, where the kubelet does not ask the runtime") {
  const struct {
    const char* runtime;
    bool tells;  // by RuntimeConfig; else as containerd before 2.0
    int kubelet;
    const char* patch;
    const char* says;  // empty: nothing; '!' first: refused
  } kCases[] = {
      {"systemd", true, 37, "cgroupDriver: cgroupfs", ""},  // the kubelet asks
      {"cgroupfs", true, 37, "cgroupDriver: systemd", ""},
      {"systemd", true, 30, "cgroupDriver: cgroupfs", "!no pod would start"},
      {"systemd", true, 30, "{cgroupDriver: cgroupfs, featureGates: {KubeletCgroupDriverFromCRI: true}}", ""},
      {"systemd", true, 32, "{cgroupDriver: cgroupfs, featureGates: {KubeletCgroupDriverFromCRI: false}}", "!no pod would start"},
      {"systemd", false, 37, "cgroupDriver: cgroupfs", "!no pod would start"},
      {"systemd", false, 37, "cgroupDriver: systemd", ""},
      {"cgroupfs", false, 37, "cgroupDriver: cgroupfs", ""},
      {"cgroupfs", false, 37, "cgroupDriver: systemd", "does not hold for pods"},
      {"cgroupfs", false, 30, "cgroupDriver: systemd", "does not hold for pods"},
  };
  for (const auto& one : kCases) {
    CAPTURE(one.runtime);
    CAPTURE(one.tells);
    CAPTURE(one.kubelet);
    CAPTURE(one.patch);
    World w;
    w.cluster.pretend(one.kubelet);
    w.host.put("/usr/lib/kubejoin/kubelet-version", "Kubernetes v1." + std::to_string(one.kubelet) + ".0\n");
    let_runtime_have(w, one.runtime, one.tells);
    w.config.kubelet_patch = one.patch[0] == '{' ? one.patch : "{" + std::string(one.patch) + "}";
    w.config.kubelet_patch.insert(1, "apiVersion: kubelet.config.k8s.io/v1beta1, kind: KubeletConfiguration, ");
    const ToldJoin told = join(w.host, w.config);
    const bool fatal = one.says[0] == '!';
    CHECK(told.result.error.has_value() == fatal);
    CHECK(sent_csr(w) == !fatal);
    if (fatal) CHECK(told.result.error->id == "preflight.CgroupDriver");
    CHECK((told.printed.find("preflight.CgroupDriver") != std::string::npos) == (*one.says != '\0'));
    CHECK(told.printed.find(one.says + (fatal ? 1 : 0)) != std::string::npos);
  }
}

TEST_CASE("preflight: an address that DHCP brings late is waited for; own ones in any spelling, and any, are taken") {
  for (const char* ip : {"10.0.0.7", "2001:DB8:0::7", "10.0.0.7,2001:db8::7", "0.0.0.0", "::"}) {
    World w;
    put_addresses(w.host);
    w.config.kubelet_extra_args = {{"node-ip", ip}};
    CAPTURE(ip);
    CHECK(shown(join(w.host, w.config).result) == "ok");
  }
  World unknown;  // a kernel that lists no address has none that could be missed
  unknown.config.kubelet_extra_args = {{"node-ip", "10.0.0.9"}};
  CHECK(shown(join(unknown.host, unknown.config).result) == "ok");
}
