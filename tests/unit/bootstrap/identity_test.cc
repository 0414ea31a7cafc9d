// The node's identity: whose key and request are taken up again, and what is never believed.
#include "../cli/world.h"
#include "plan/journal.h"
#include "plan/state.h"

using namespace kubejoin;

namespace {

constexpr const char* kPost = "POST /apis/certificates.k8s.io/v1/certificatesigningrequests";
constexpr const char* kWatch = "GET /apis/certificates.k8s.io/v1/certificatesigningrequests";
constexpr const char* kPem = "/var/lib/kubelet/pki/kubelet-client-2026-11-23-00-00-00.pem";

using Answer = FakeHost::Answer;
const Answer kAsUsual{.status = 0};

std::string result_of(World& w, bool resumable = false) { return shown(join(w.host, w.config, resumable).result); }
int posts(const World& w) { return w.host.count_touches("POST https://10.0.0.1:6443/apis/certificates"); }

// A machine whose join was cut off after it had made `key`.
void leave_key(World& w, const std::string& key) {
  w.host.put(plan::kClientKeyTmp, key, 0600);
  REQUIRE(outcome(plan::write_journal(w.host, {.instance_id = "", .machine_id = "", .node_name = "node1", .joined_at = "", .files = {plan::kClientKeyTmp}})) == "ok");
}

}  // namespace

TEST_CASE("bootstrap: a key that is there is used, a torn one is made anew") {
  const auto key = kube::make_identity();
  const std::string pem(key->key_pem.expose());
  const struct {
    const char* what;
    std::string text;
    bool used;
  } kRows[] = {{"whole", pem, true}, {"empty", "", false}, {"torn", pem.substr(0, pem.size() / 2), false}, {"zeros", std::string(200, '\0'), false}};
  for (const auto& row : kRows) {
    CAPTURE(row.what);
    World w;
    leave_key(w, row.text);
    REQUIRE(result_of(w) == "ok");
    CHECK(w.cluster.csrs.contains(kube::csr_name(key->spki_der, "node1", kube::kNodeUsages)) == row.used);
    CHECK_FALSE(w.host.stat(plan::kClientKeyTmp));
  }
}

TEST_CASE("bootstrap: the request is created once, whatever is lost on the way") {
  // The answer is lost: nobody knows whether the request arrived. It did, and the second POST says so.
  World lost;
  Answer arrived{.error = fail(Kind::unavailable, "http.unreachable", "the connection broke").value()};
  arrived.before = [&] {
    lost.cluster.instead[kPost] = {kAsUsual};
    REQUIRE(lost.host.on_request(lost.host.requests.back()).status == 201);
  };
  lost.cluster.instead[kPost] = {arrived};
  CHECK(result_of(lost) == "ok");
  CHECK(lost.cluster.csrs.size() == 1);

  // The watch ends without a decision, again and again; it is opened anew, and nothing is posted.
  World ends;
  ends.cluster.instead[kWatch] = {Answer{}, Answer{}, Answer{.status = 500}, Answer{.lines = {R"({"type":"ERROR","object":{"kind":"Status","code":410}})"}}, kAsUsual};
  CHECK(result_of(ends) == "ok");
  CHECK(ends.cluster.csrs.size() == 1);
}

TEST_CASE("bootstrap: watches that end at once do not become a storm") {
  World w;
  w.cluster.instead[kWatch] = {Answer{}};
  const ToldJoin told = join(w.host, w.config);
  REQUIRE(told.result.error.has_value());
  CHECK(told.result.error->id == "bootstrap.csr-pending");
  CHECK(w.host.count_touches("GET https://10.0.0.1:6443/apis/certificates") < 200);  // in five minutes
  CHECK(posts(w) == 1);
}

TEST_CASE("bootstrap: what a watch shows of other requests, or of none, is no decision") {
  const std::string other = R"({"kind":"CertificateSigningRequest","metadata":{"name":"node-csr-other","uid":"u"},"spec":{"request":""},"status":{"conditions":[{"type":"Denied"}]}})";
  for (const std::string& line : {R"({"type":"ADDED","object":)" + other + "}", std::string(R"({"type":"BOOKMARK","object":{"kind":"CertificateSigningRequest"}})")}) {
    CAPTURE(line);
    World w;
    w.cluster.instead[kWatch] = {Answer{.lines = {line}}, kAsUsual};
    CHECK(result_of(w) == "ok");
  }
}

TEST_CASE("bootstrap: a request that vanishes or changes under us ends the join") {
  for (const char* how : {"deleted", "another uid"}) {
    CAPTURE(how);
    World w;
    w.cluster.decision = FakeCluster::Decision::pending;
    w.host.on_request = [&, inner = w.host.on_request](HttpRequest request) {
      request.url = replace_all(request.url, "&resourceVersion=7", "");  // the server shows what there is first
      Answer answer = inner(request);
      if (request.stream && !answer.lines.empty() && answer.lines[0].find("CertificateSigningRequest") != std::string::npos) {
        std::string second = answer.lines[0];
        if (std::string(how) == "deleted") second = replace_all(second, "ADDED", "DELETED");
        else second = replace_all(replace_all(second, "ADDED", "MODIFIED"), "11111111-", "99999999-");
        answer.lines.push_back(second);
      }
      return answer;
    };
    const ToldJoin told = join(w.host, w.config);
    REQUIRE(told.result.error.has_value());
    CHECK(told.result.error->id == "bootstrap.csr-deleted");
    CHECK(told.result.error->kind == Kind::refused);
  }
}

TEST_CASE("bootstrap: a certificate of an earlier run is used if it is ours in every way, and none else") {
  const auto key = kube::make_identity(), other = kube::make_identity();
  const Authority stranger;
  struct Row {
    const char* what;
    std::string (*pem)(World& w, const kube::Identity& key, const kube::Identity& other, const Authority& stranger);
    bool used;
  };
  const Row kRows[] = {
      {"ours", [](World& w, const kube::Identity& k, const kube::Identity&, const Authority&) { return w.cluster.ca.issue(k.spki_der, w.cluster.certificate) + std::string(k.key_pem.expose()); }, true},
      {"with another key", [](World& w, const kube::Identity& k, const kube::Identity& o, const Authority&) { return w.cluster.ca.issue(k.spki_der, w.cluster.certificate) + std::string(o.key_pem.expose()); }, false},
      {"without a key", [](World& w, const kube::Identity& k, const kube::Identity&, const Authority&) { return w.cluster.ca.issue(k.spki_der, w.cluster.certificate); }, false},
      {"of another cluster", [](World& w, const kube::Identity& k, const kube::Identity&, const Authority& s) { return s.issue(k.spki_der, w.cluster.certificate) + std::string(k.key_pem.expose()); }, false},
      {"of another node", [](World& w, const kube::Identity& k, const kube::Identity&, const Authority&) {
         Authority::Wish wish = w.cluster.certificate;
         wish.common_name = "system:node:node2";
         return w.cluster.ca.issue(k.spki_der, wish) + std::string(k.key_pem.expose());
       }, false},
      {"expired", [](World& w, const kube::Identity& k, const kube::Identity&, const Authority&) {
         Authority::Wish wish = w.cluster.certificate;
         wish.to = w.host.wall - std::chrono::seconds(1);
         return w.cluster.ca.issue(k.spki_der, wish) + std::string(k.key_pem.expose());
       }, false},
      {"torn", [](World& w, const kube::Identity& k, const kube::Identity&, const Authority&) { return w.cluster.ca.issue(k.spki_der, w.cluster.certificate).substr(0, 300); }, false},
      {"empty", [](World&, const kube::Identity&, const kube::Identity&, const Authority&) { return std::string(); }, false},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.what);
    World w;
    w.host.put(kPem, row.pem(w, *key, *other, stranger), 0600);
    REQUIRE(result_of(w) == "ok");
    CHECK(posts(w) == (row.used ? 0 : 1));
    CHECK((w.host.files.at(plan::kClientPem).link_target == kPem) == row.used);
  }
}

TEST_CASE("bootstrap: reasons are shown escaped and without tokens") {
  World w;
  w.cluster.decision = FakeCluster::Decision::denied;
  w.host.on_request = [inner = w.host.on_request](const HttpRequest& request) {
    Answer answer = inner(request);
    for (std::string& line : answer.lines) line = replace_all(line, R"("message":"M")", R"("message":"no \u001b[2J abcdef.0123456789abcdef")");
    return answer;
  };
  const ToldJoin told = join(w.host, w.config);
  REQUIRE(told.result.error.has_value());
  CHECK(told.result.error->message.find("reason: R, message: no \\x1b[2J abcdef.\xE2\x80\xA6") != std::string::npos);
  CHECK(leaks(w, told.printed).empty());
}

TEST_CASE("bootstrap: a token that was refused is read again where it came from") {
  World w;
  w.config.first_boot.token_from = "file:/run/token";
  w.config.token_discovery->token = w.config.tls_bootstrap_token = Secret();
  w.host.put("/run/token", std::string(kTestToken) + "\n", 0600);
  w.before = w.host.files;
  w.cluster.knows = "fedcba.0123456789fedcba";
  // It is refreshed while the first is being refused.
  Answer refused{.status = 401};
  refused.before = [&] { w.host.put("/run/token", w.cluster.knows, 0600); };
  w.cluster.instead["GET /api/v1/namespaces/kube-system/configmaps/kubeadm-config"] = {refused, kAsUsual};
  const ToldJoin told = join(w.host, w.config);
  CHECK(shown(told.result) == "ok");
  CHECK(told.printed.find("0123456789fedcba") == std::string::npos);
}

TEST_CASE("bootstrap: a dry run asks, tells, and changes nothing") {
  World w;
  w.config.dry_run = true;
  const ToldJoin told = join(w.host, w.config);
  CHECK(shown(told.result) == "ok");
  CHECK(w.host.files.size() == w.before.size());
  CHECK(w.cluster.csrs.empty());
  CHECK(w.cluster.kubelet_starts == 0);
  CHECK(leaks(w, told.printed).empty());
  for (const char* line : {"would write /etc/kubernetes/pki/ca.crt (0644", "would write /etc/kubernetes/kubelet.conf (0600", "would write /var/lib/kubelet/config.yaml (0644",
                           "would send POST https://10.0.0.1:6443/apis/certificates.k8s.io/v1/certificatesigningrequests", "would run systemctl restart --no-block kubelet"})
    CHECK_MESSAGE(told.printed.find(line) != std::string::npos, line);
}
