// File discovery: upstream's kinds of files, local and over HTTPS, and what they may not say.
#include "../fake_cluster.h"
#include "../test.h"
#include "base/text.h"
#include "../kube/golden.h"
#include "kube/kube.h"
#include "plan/join_plan.h"
#include "plan/state.h"
#include "report/progress.h"

using namespace kubejoin;

namespace {

constexpr const char* kPath = "/etc/kubejoin/discovery.conf";

struct Run {
  Status status;
  std::unique_ptr<plan::JoinState> state;
};

Run discover(FakeHost& host, const std::string& path, const std::string& tls_token = "") {
  config::JoinConfig config;
  config.file_discovery = config::FileDiscovery{path};
  config.tls_bootstrap_token = Secret(tls_token);
  Run run{{}, std::make_unique<plan::JoinState>(config)};
  report::Progress progress(host, {.quiet = true}, nullptr, host.monotonic());
  plan::Context context{host, *run.state, progress};
  run.status = discovery::establish_trust(context);
  return run;
}

// A kubeconfig of one cluster, with a user when it has lines.
std::string kubeconfig(const std::string& cluster, const std::string& user = "") {
  std::string text = "apiVersion: v1\nkind: Config\nclusters:\n- name: \"\"\n  cluster: {" + cluster + "}\n";
  if (!user.empty()) text += "users:\n- name: u\n  user: {" + user + "}\ncontexts:\n- name: c\n  context: {cluster: '', user: u}\ncurrent-context: c\n";
  return text;
}

}  // namespace

TEST_CASE("discovery: a file") {
  const Authority ca;
  const std::string data = "certificate-authority-data: " + base64(ca.pem()), server = "server: 'https://10.0.0.1:6443'";
  const std::string base = server + ", " + data;
  const struct {
    const char* what;
    std::string text;
    const char* tls_token;
    const char* id;
    Kind kind;
  } kRows[] = {
      {"a cluster, and a token beside it", kubeconfig(base), kTestToken, "ok", Kind::internal},
      {"the reference page's last example", "apiVersion: v1\nclusters:\n- cluster:\n    " + data + "\n    " + server + "\n  name: \"\"\ncontexts: []\ncurrent-context: \"\"\nkind: Config\npreferences: {}\nusers: []\n", kTestToken, "ok", Kind::internal},
      {"a token in it", kubeconfig(base, "token: abcdef.0123456789abcdef"), "", "ok", Kind::internal},
      {"a token in a file beside it", kubeconfig(base, "tokenFile: token"), "", "ok", Kind::internal},
      {"its CA in a file beside it", kubeconfig(server + ", certificate-authority: ca.crt"), kTestToken, "ok", Kind::internal},
      {"a client certificate", kubeconfig(base, "client-certificate-data: " + base64("c") + ", client-key-data: " + base64("k")), "", "ok", Kind::internal},
      {"no credentials at all", kubeconfig(base), "", "discovery.no-credentials", Kind::invalid},
      {"a certificate without its key", kubeconfig(base, "client-certificate-data: " + base64("c")), "", "discovery.no-credentials", Kind::invalid},
      {"a program for credentials", kubeconfig(base, "exec: {command: /bin/x, apiVersion: v1}"), "", "discovery.exec", Kind::invalid},
      {"a program, but a token beside it", kubeconfig(base, "exec: {command: /bin/x, apiVersion: v1}"), kTestToken, "ok", Kind::internal},
      {"no verification", kubeconfig(server + ", insecure-skip-tls-verify: true"), kTestToken, "discovery.insecure", Kind::untrusted},
      {"plain http", kubeconfig("server: 'http://10.0.0.1:6443', " + data), kTestToken, "discovery.not-https", Kind::untrusted},
      {"no server", kubeconfig(data), kTestToken, "discovery.kubeconfig", Kind::invalid},
      {"no cluster", "apiVersion: v1\nkind: Config\nclusters: []\n", kTestToken, "discovery.kubeconfig", Kind::invalid},
      {"junk for a CA", kubeconfig(server + ", certificate-authority-data: " + base64("junk")), kTestToken, "kube.certificate", Kind::invalid},
      {"a CA file that is absent", kubeconfig(server + ", certificate-authority: absent.crt"), kTestToken, "file.absent", Kind::machine},
      {"not YAML", "{", kTestToken, "discovery.kubeconfig", Kind::invalid},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.what);
    FakeHost host;
    host.put(kPath, row.text, 0600);
    host.put("/etc/kubejoin/token", std::string(kTestToken) + "\n", 0600);
    host.put("/etc/kubejoin/ca.crt", ca.pem());
    host.answer("GET https://10.0.0.1:6443" + kube::cluster_info_path(), {.status = 403});  // closed: the TLS certificate is proof enough
    const Run run = discover(host, kPath, row.tls_token);
    CHECK(id_of(run.status) == row.id);
    for (const HttpRequest& request : host.requests) CHECK(request.bearer.empty());
    if (!run.status) {
      CHECK(run.status.error().kind == row.kind);
      CHECK(run.status.error().message.find(kTestSecret) == std::string::npos);
      continue;
    }
    CHECK(run.state->ca_pem == ca.pem());
    CHECK(run.state->server == "https://10.0.0.1:6443");
    CHECK(host.sessions.at(0).trust == HttpOptions::Trust::given);
    CHECK(host.sessions.at(0).ca_pem == ca.pem());
    const bool by_certificate = !host.sessions.at(0).client_cert_pem.empty();
    CHECK(run.state->bearer == Secret(by_certificate ? "" : kTestToken));
  }
}

TEST_CASE("discovery: a file without a CA trusts the machine's bundle, and takes the CA that cluster-info gives") {
  const FakeCluster cluster;
  FakeHost host;
  host.put(kPath, kubeconfig("server: 'https://10.0.0.1:6443/'"));
  host.answer("GET https://10.0.0.1:6443" + kube::cluster_info_path(), {.body = cluster.cluster_info()});
  const Run run = discover(host, kPath, kTestToken);
  REQUIRE(outcome(run.status) == "ok");
  CHECK(host.sessions.at(0).trust == HttpOptions::Trust::host);
  CHECK(run.state->ca_pem == cluster.ca.pem());
  CHECK(run.state->endpoint == "https://10.0.0.1:6443");

  FakeHost closed;
  closed.put(kPath, kubeconfig("server: 'https://10.0.0.1:6443'"));
  closed.answer("GET https://10.0.0.1:6443" + kube::cluster_info_path(), {.status = 403});
  CHECK(id_of(discover(closed, kPath, kTestToken).status) == "discovery.no-ca");
}

TEST_CASE("discovery: a URL") {
  const Authority ca;
  const std::string text = kubeconfig("server: 'https://10.0.0.1:6443', certificate-authority-data: " + base64(ca.pem()));
  const struct {
    const char* what;
    FakeHost::Answer answer;
    const char* id;
  } kRows[] = {
      {"a kubeconfig", {.body = text}, "ok"},
      {"not found", {.status = 404, .body = text}, "http.not-found"},
      {"a page for people", {.body = "<html>"}, "discovery.kubeconfig"},
      {"too much", {.body = std::string(2 << 20, '#')}, "http.too-large"},
      {"an untrusted server", {.error = fail(Kind::untrusted, "tls.untrusted", "x").value()}, "tls.untrusted"},
      {"a redirect that the session did not follow", {.status = 302}, "http.redirect"},
      {"a file of this machine for a CA", {.body = kubeconfig("server: 'https://10.0.0.1:6443', certificate-authority: /etc/shadow")}, "discovery.file-reference"},
      {"a file of this machine for a token", {.body = kubeconfig("server: 'https://10.0.0.1:6443', certificate-authority-data: " + base64(ca.pem()), "tokenFile: /etc/shadow")}, "discovery.file-reference"},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.what);
    FakeHost host;
    host.put("/etc/shadow", "root:secret", 0600);
    host.answer("GET https://user-data.example/conf", row.answer);
    host.answer("GET https://10.0.0.1:6443" + kube::cluster_info_path(), {.status = 403});
    const std::string token = std::string(row.what).ends_with("token") ? "" : kTestToken;
    const Run run = discover(host, "https://user-data.example/conf", token);
    CHECK(id_of(run.status) == row.id);
    CHECK(host.sessions.at(0).trust == HttpOptions::Trust::host);
    CHECK(std::find(host.reads.begin(), host.reads.end(), "/etc/shadow") == host.reads.end());
  }
}
