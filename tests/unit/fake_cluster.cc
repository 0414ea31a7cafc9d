// The API server of a join, kept with maps.
#include "fake_cluster.h"

#include <openssl/pem.h>

#include <algorithm>

#include "base/text.h"
#include "captured.h"
#include "kube/golden.h"
#include "kube/kube.h"
#include "parse/document.h"
#include "test.h"

namespace kubejoin {
namespace {

constexpr char kUid[] = "11111111-2222-3333-4444-555555555555";

// A gRPC answer of a runtime that is ready: RuntimeReady true, NetworkReady false.
std::string cri_status() {
  const auto field = [](char tag, const std::string& bytes) {
    return std::string{tag, static_cast<char>(bytes.size())} + bytes;
  };
  const std::string ready = field('\x0a', "RuntimeReady") + std::string("\x10\x01", 2);
  const std::string network = field('\x0a', "NetworkReady");
  const std::string message = field('\x0a', field('\x0a', ready) + field('\x0a', network));
  return std::string(4, '\0') + static_cast<char>(message.size()) + message;
}

std::string json_string(const std::string& text) { return parse::to_json(parse::make_string(text)); }

std::string config_map(const std::map<std::string, std::string>& data) {
  std::string members;
  for (const auto& [key, value] : data) members += (members.empty() ? "" : ",") + json_string(key) + ":" + json_string(value);
  return R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{)" + members + "}}";
}

std::string status(int code, const std::string& message) {
  return R"({"kind":"Status","apiVersion":"v1","status":"Failure","code":)" + std::to_string(code) + R"(,"message":)" + json_string(message) + "}";
}

FakeHost::Answer refusal(int code, const std::string& message) { return {.status = code, .body = status(code, message)}; }

// The value of a member of a JSON text in which it stands once.
std::string member(const std::string& json, const std::string& name) {
  const std::size_t at = json.find("\"" + name + "\":\"");
  if (at == json.npos) return {};
  const std::size_t begin = at + name.size() + 4;
  return json.substr(begin, json.find('"', begin) - begin);
}

std::string spki_of_request(const std::string& pem) {
  const kube::BioPtr in = kube::read_from(pem);
  const kube::X509ReqPtr request(PEM_read_bio_X509_REQ(in.get(), nullptr, nullptr, nullptr));
  unsigned char* der = nullptr;
  const int size = request ? i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(request.get()), &der) : 0;
  REQUIRE(size > 0);
  std::string spki(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return spki;
}

}  // namespace

FakeCluster::FakeCluster(std::string release) : ca("kubernetes"), release_(std::move(release)) {
  certificate.from = FakeHost().wall - std::chrono::minutes(5);  // as the controller back-dates them
  certificate.to = certificate.from + std::chrono::hours(8760);
}

std::string FakeCluster::golden_file(const std::string& name) const { return golden(release_ + "/" + name); }

int FakeCluster::minor() const { return pretended_minor_ != 0 ? pretended_minor_ : kube::parse_version("v" + release_ + ".0")->minor; }

config::JoinConfig FakeCluster::config() const {
  config::JoinConfig config;
  config.token_discovery = config::TokenDiscovery{.token = Secret(kTestToken), .endpoints = {endpoint}, .ca_cert_hashes = {ca.pin()}};
  config.tls_bootstrap_token = Secret(kTestToken);
  config.node_name = "node1";
  config.node_name_given = true;
  // As the golden clusters were joined.
  config.cri_socket = minor() < 24 ? "/run/containerd/containerd.sock" : "unix:///run/containerd/containerd.sock";
  return config;
}

std::string FakeCluster::cluster_info() const {
  const std::string bundle = ca_in_cluster_info.empty() ? ca.pem() : ca_in_cluster_info;
  const std::string kubeconfig = "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: " + base64(bundle) +
                                 "\n    server: " + server + "\n  name: \"\"\ncontexts: null\ncurrent-context: \"\"\nkind: Config\nusers: null\n";
  const auto token = kube::parse_token(Secret(signs_with));
  return config_map({{"kubeconfig", kubeconfig}, {"jws-kubeconfig-" + token->id, kube::jws_sign(kubeconfig, *token)}});
}

void FakeCluster::attach(FakeHost& host) {
  host_ = &host;
  host.host_name = "build-host";
  host.programs = {"ip", "iptables", "mount", "nsenter", "ethtool", "tc", "touch", "losetup", "cp", "kubelet", "systemctl", "conntrack", "ebtables", "socat", "crictl"};
  host.names = {"node1"};
  host.put_socket("/run/containerd/containerd.sock");
  host.put("/proc/sys/net/ipv4/ip_forward", "1\n");
  host.put("/proc/sys/net/bridge/bridge-nf-call-iptables", "1\n");
  host.put("/proc/swaps", "Filename Type Size Used Priority\n");
  host.put("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
  host.put("/run/systemd/system/x", "");
  host.put("/usr/lib/systemd/system/kubelet.service", "");
  host.put("/usr/lib/kubejoin/kubelet-version", "Kubernetes v1." + std::to_string(minor()) + ".2\n");
  host.on_request = [this](const HttpRequest& request) { return answer(request); };
  host.on_command = [this](const Command& command) -> Result<CommandResult> {
    const std::string line = kubejoin::join(command.argv, " ");
    if (line.find("restart") != line.npos) ++kubelet_starts;
    return CommandResult{};
  };
}

FakeHost::Answer FakeCluster::answer(const HttpRequest& request) {
  if (request.url.ends_with("/RuntimeConfig"))  // linux: {cgroup_driver: CGROUPFS}, as the recorded clusters have it
    return {.headers = {{"content-type", "application/grpc"}, {"grpc-status", "0"}}, .body = std::string("\0\0\0\0\4\x0a\2\x08\1", 9)};
  if (request.url.find("runtime.v1.RuntimeService") != request.url.npos)
    return {.headers = {{"content-type", "application/grpc"}, {"grpc-status", "0"}}, .body = cri_status()};
  if (request.url == "http://127.0.0.1:10248/healthz") return kubelet_starts > 0 ? FakeHost::Answer{.body = "ok"} : FakeHost::Answer{.status = 503};
  const std::string base = "https://" + endpoint;
  if (!request.url.starts_with(base + "/"))
    return {.error = fail(Kind::unavailable, "http.unreachable", "unable to connect to " + request.url, "is the address right, and does the server run?").value()};
  const std::string path = request.url.substr(base.size(), request.url.find('?') - base.size());
  if (const auto queue = instead.find(request.method + " " + path); queue != instead.end()) {
    FakeHost::Answer front = queue->second.front();
    if (queue->second.size() > 1) queue->second.pop_front();
    if (front.status != 0) return front;  // status 0: this time as usual
  }
  return api(request, path);
}

FakeHost::Answer FakeCluster::api(const HttpRequest& request, const std::string& path) {
  using kube::config_map_path;
  if (path == kube::cluster_info_path()) {
    if (!request.bearer.empty()) violations.insert("cluster-info was asked for with a token");
    return {.body = cluster_info()};
  }
  const std::string& csr_api = std::string(kube::kCsrApis[minor() < 19 ? 1 : 0]);
  const bool as_node = path.starts_with("/api/v1/namespaces/default/events") || request.method == "PATCH" ||
                       path == "/api/v1/nodes";
  if (as_node) {
    if (!request.bearer.empty()) violations.insert(request.method + " " + path + " carried the token");
    const auto is_node = [](const HttpOptions& session) { return !session.client_cert_pem.empty() && !session.client_key_pem.empty(); };
    if (std::none_of(host_->sessions.begin(), host_->sessions.end(), is_node)) return refusal(401, "Unauthorized");
  } else if (request.bearer != Secret(knows)) {
    return refusal(401, "Unauthorized");
  }

  const std::string version = "1." + std::to_string(minor());
  if (path == kube::version_path()) return {.body = R"({"major":"1","gitVersion":"v)" + version + ".2\"}"};
  if (path == config_map_path("kubeadm-config")) {
    if (minor() < 12) return refusal(403, "User \"system:bootstrap:abcdef\" cannot get configmaps");
    return {.body = replace_all(golden_file("kubeadm-config.configmap.json"), "kubernetesVersion: v" + release_ + ".2", "kubernetesVersion: v" + version + ".2")};
  }
  const std::string golden_config = release_ == "1.20" ? "kubelet-config-1.20" : "kubelet-config";
  const std::string kubelet_config = minor() < 11 ? "kubelet-base-config-1.9" : minor() < 24 ? "kubelet-config-" + version : "kubelet-config";
  if (path == config_map_path(kubelet_config)) return {.body = golden_file(golden_config + ".configmap.json")};
  if (path == kube::node_path("node1") && request.method == "GET" && minor() < 18) return refusal(403, "cannot get nodes");
  if (path == kube::node_path("node1") && request.method == "GET")
    return node_exists_ready || (kubelet_starts > 0 && kubelet_registers) ? FakeHost::Answer{.body = node_json()} : refusal(404, "nodes \"node1\" not found");

  if (path == kube::csr_collection_path(csr_api) && request.method == "POST") {
    const std::string name = member(request.body, "name");
    if (csrs.contains(name)) return refusal(409, "already exists");
    csrs[name] = foreign_request.empty() ? member(request.body, "request") : base64(foreign_request);
    return {.status = 201, .body = csr_json(name, Decision::pending)};
  }
  if (path == kube::csr_collection_path(csr_api)) {
    const std::string wanted = request.url.substr(request.url.find("metadata.name%3D") + 16);
    const std::string name = wanted.substr(0, wanted.find('&'));
    const bool goes_on = request.url.find("&resourceVersion=") != std::string::npos;  // from the answer to the POST
    if (!csrs.contains(name) || (goes_on && decision == Decision::pending)) return {.hangs = true};
    return {.lines = {R"({"type":")" + std::string(goes_on ? "MODIFIED" : "ADDED") + R"(","object":)" + csr_json(name, decision) + "}"}, .hangs = true};
  }
  if (path == "/api/v1/nodes") {
    if (kubelet_starts == 0 || !kubelet_registers) return {.hangs = true};
    return {.lines = {R"({"type":"ADDED","object":)" + node_json() + "}"}, .hangs = true};
  }
  if (request.method == "PATCH" && path == kube::node_path("node1")) {
    patches.push_back(request.body);
    return {.body = node_json()};
  }
  if (path == kube::node_events_path()) return {.status = 201, .body = request.body};
  return refusal(404, "the server could not find the requested resource");
}

std::string FakeCluster::csr_json(const std::string& name, Decision state) const {
  const std::string& request = csrs.at(name);
  std::string text = R"({"kind":"CertificateSigningRequest","apiVersion":"certificates.k8s.io/v1","metadata":{"name":")" + name +
                     R"(","uid":")" + kUid + R"(","resourceVersion":"7"},"spec":{"request":")" + request +
                     R"(","signerName":"kubernetes.io/kube-apiserver-client-kubelet","username":"system:bootstrap:abcdef"},"status":)";
  const auto condition = [](const char* type) { return R"({"conditions":[{"type":")" + std::string(type) + R"(","status":"True","reason":"R","message":"M"}])"; };
  switch (state) {
    case Decision::pending: return text + "{}}";
    case Decision::denied: return text + condition("Denied") + "}}";
    case Decision::failed: return text + condition("Failed") + "}}";
    case Decision::issued: break;
  }
  const Authority& signer = issuer != nullptr ? *issuer : ca;
  const std::string pem = signer.issue(spki_of_request(*base64_decode(request)), certificate);
  return text + condition("Approved") + R"(,"certificate":")" + base64(pem) + "\"}}";
}

// The golden Node, as Ready as the test wants it.
std::string FakeCluster::node_json() const {
  const char* ready = node_is_ready || node_exists_ready ? "True" : "False";
  return R"({"kind":"Node","apiVersion":"v1","metadata":{"name":"node1","uid":"u","labels":{"kubernetes.io/hostname":"node1"}},"status":{"conditions":[{"type":"Ready","status":")" +
         std::string(ready) + "\"}]}}";
}

ToldJoin join(FakeHost& host, const config::JoinConfig& config, bool resumable) {
  Captured captured;
  ToldJoin told;
  cli::JoinRun run;
  run.config = config;
  run.resumable = resumable;
  run.style.verbosity = 5;
  told.result = cli::join_machine(host, std::move(run));
  told.printed = captured.text();
  return told;
}

}  // namespace kubejoin
