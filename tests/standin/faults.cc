// The table of faults. A row is a name, its argument, a sentence and what it changes.
#include "faults.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace kubejoin::standin {
namespace {

using B = Behaviour;
using Text = const std::string&;
constexpr char kEnough[] = "configmaps/cluster-info";

int number(Text text) { return std::stoi(text); }
Millis millis(Text text) { return Millis{std::stol(text)}; }
std::string or_else(Text text, const char* otherwise) { return text.empty() ? otherwise : text; }

std::vector<std::string> comma_separated(Text text) {
  std::vector<std::string> parts{""};
  for (const char c : text) {
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

// The answer of the calls that concern `part` is changed.
void after(B& b, Text part, std::function<void(Answer&)> change) {
  b.after.push_back([part, change](const Call& call, Answer& answer) {
    if (concerns(call, part)) change(answer);
  });
}

// The first `times` calls that concern `part` get `answer`.
void instead(B& b, Text part, int times, Answer answer) {
  b.instead.push_back([part, times, answer](const Call& call) mutable -> std::optional<Answer> {
    if (times == 0 || !concerns(call, part)) return std::nullopt;
    --times;
    return answer;
  });
}

std::string_view reason_of(int code) {
  switch (code) {
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "NotFound";
    case 409:
      return "Conflict";
    case 429:
      return "TooManyRequests";
    case 500:
      return "InternalError";
    case 503:
      return "ServiceUnavailable";
    case 504:
      return "Timeout";
    default:
      return "Unknown";
  }
}

// CODE[,PART[,TIMES[,RETRY-AFTER]]]
void status(B& b, Text argument) {
  const auto parts = comma_separated(argument);
  const int code = number(parts[0]);
  Answer answer = status_answer(code, std::string(reason_of(code)), "the stand-in was told to answer " + parts[0]);
  if (parts.size() > 3) answer.headers.emplace_back("Retry-After", parts[3]);
  instead(b, parts.size() > 1 ? parts[1] : "", parts.size() > 2 ? number(parts[2]) : -1, std::move(answer));
}

// PART[,TIMES]
void instead(B& b, Text argument, Answer::Delivery delivery) {
  const auto parts = comma_separated(argument);
  instead(b, parts[0], parts.size() > 1 ? number(parts[1]) : -1, {.delivery = delivery});
}

void redirect(B& b, Text argument) {
  Answer answer{.status = 307, .headers = {{"Location", argument}}};
  instead(b, kEnough, -1, std::move(answer));
}

std::string nested(int depth) {
  return R"({"kind":"ConfigMap","data":)" + std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']') + "}";
}

// The data of the second ConfigMap answer differs from the first.
void second_answer_differs(B& b, Text) {
  b.before_signing = [n = 0](std::string& kubeconfig) mutable {
    if (++n > 1) kubeconfig += "# another\n";
  };
}

void two_clusters(B& b, Text) {
  b.before_signing = [](std::string& kubeconfig) {
    const auto from = kubeconfig.find("- cluster:"), until = kubeconfig.find("contexts:");
    std::string second = kubeconfig.substr(from, until - from);
    second.replace(second.find("name: \"\""), 8, "name: second");
    kubeconfig.insert(until, second);
  };
}

void signature_late(B& b, Text argument) {
  b.after_signing = [left = number(argument)](auto& data) mutable {
    if (left-- <= 0) return;
    for (auto it = data.begin(); it != data.end();)
      it = it->first.rfind("jws-", 0) == 0 ? data.erase(it) : std::next(it);
  };
}

void echo_token(B& b, Text) {
  b.instead.push_back([](const Call& call) -> std::optional<Answer> {
    const auto header = call.request.headers.find("authorization");
    if (header == call.request.headers.end()) return std::nullopt;
    return status_answer(403, "Forbidden", "request with " + header->second + " is not allowed");
  });
}

// Accepted by the API server, but the answer never arrives.
void lost_answer(B& b, Text) {
  b.after.push_back([lost = false](const Call& call, Answer& answer) mutable {
    if (lost || call.request.method != "POST" || !concerns(call, "certificatesigningrequests")) return;
    lost = true;
    answer.delivery = Answer::Delivery::dropped;
  });
}

void unauthenticated(B& b, Text argument) {
  b.instead.push_back(
      [left = argument.empty() ? -1 : number(argument)](const Call& call) mutable -> std::optional<Answer> {
        if (left == 0 || call.request.headers.find("authorization") == call.request.headers.end()) return std::nullopt;
        --left;
        return status_answer(401, "Unauthorized", "Unauthorized");
      });
}

void verdict_after(B& b, B::Verdict verdict, Text argument) {
  b.verdict = verdict;
  if (!argument.empty()) b.verdict_after = millis(argument);
}

// clang-format off
constexpr Fault kFaults[] = {
    // connections
    {"reset-first", "N", "the first N connections get a TCP reset", [](B& b, Text a) { b.reset_first = number(a); }},
    {"no-handshake", "", "connections are accepted, and no TLS handshake follows", [](B& b, Text) { b.never_handshake = true; }},
    {"http1", "", "HTTP/1.1 alone is spoken", [](B& b, Text) { b.http2 = false; }},
    {"goaway", "[PART]", "GOAWAY goes with each answer to calls that concern PART (default: all)", [](B& b, Text a) { after(b, a, [](Answer& x) { x.last = true; }); }},
    {"wrong-ca", "", "the server's certificate is of another CA than cluster-info's", [](B& b, Text) { b.shown = b.shown_later = B::Shown::wrong_ca; }},
    {"self-signed", "", "the server's certificate is self-signed", [](B& b, Text) { b.shown = b.shown_later = B::Shown::self_signed; }},
    {"wrong-name", "", "the server's certificate is for api.example.com", [](B& b, Text) { b.shown = b.shown_later = B::Shown::wrong_name; }},
    {"expired", "", "the server's certificate expired an hour ago", [](B& b, Text) { b.shown = b.shown_later = B::Shown::expired; }},
    {"not-yet-valid", "", "the server's certificate is valid from the next hour on", [](B& b, Text) { b.shown = b.shown_later = B::Shown::not_yet_valid; }},
    {"changed-certificate", "", "from the second connection on, the server's certificate is of another CA", [](B& b, Text) { b.shown_later = B::Shown::wrong_ca; }},

    // any answer; PART is a part of "METHOD path?query"
    {"status", "CODE[,PART[,TIMES[,RETRY-AFTER]]]", "HTTP status CODE for the first TIMES calls (default: all) that concern PART", status},
    {"redirect", "URL", "cluster-info is moved to URL", redirect},
    {"hang", "PART[,TIMES]", "no answer to the first TIMES calls (default: all) that concern PART", [](B& b, Text a) { instead(b, a, Answer::Delivery::never); }},
    {"drop", "PART[,TIMES]", "the connection is reset instead of such an answer", [](B& b, Text a) { instead(b, a, Answer::Delivery::dropped); }},
    {"slow", "[PART]", "one byte a millisecond", [](B& b, Text a) { after(b, or_else(a, kEnough), [](Answer& x) { x.delivery = Answer::Delivery::slow; }); }},
    {"truncated", "[PART]", "the body ends in its middle", [](B& b, Text a) { after(b, or_else(a, kEnough), [](Answer& x) { x.delivery = Answer::Delivery::truncated; }); }},
    {"oversized", "BYTES", "cluster-info has BYTES bytes", [](B& b, Text a) { after(b, kEnough, [n = std::stoul(a)](Answer& x) { x.body.resize(n, ' '); }); }},
    {"deep", "LEVELS", "cluster-info has arrays LEVELS deep", [](B& b, Text a) { after(b, kEnough, [n = number(a)](Answer& x) { x.body = nested(n); }); }},
    {"duplicate-keys", "", "cluster-info has its data twice: first an empty one", [](B& b, Text) { after(b, kEnough, [](Answer& x) { x.body.insert(1, R"("data":{},)"); }); }},
    {"not-json", "[PART]", "a login page of a captive portal", [](B& b, Text a) { after(b, or_else(a, kEnough), [](Answer& x) { x.body = "<!DOCTYPE html><html><title>Please log in</title></html>\n"; }); }},
    {"control-characters", "", "an error message that would write on a terminal", [](B& b, Text) { instead(b, "kubeadm-config", -1, status_answer(403, "Forbidden", "no \x1b[2J\x1b]0;owned\x07\r\n\xe2\x80\xae" "for you")); }},
    {"echo-token", "", "403 that repeats the bearer token", echo_token},
    {"date-skew", "SECONDS", "the Date header is wrong by SECONDS", [](B& b, Text a) { b.date_skew = std::chrono::seconds{std::stol(a)}; }},

    // cluster-info
    {"no-kubeconfig", "", "cluster-info has no kubeconfig", [](B& b, Text) { b.after_signing = [](auto& data) { data.erase("kubeconfig"); }; }},
    {"empty-kubeconfig", "", "its kubeconfig is the empty text, well signed", [](B& b, Text) { b.before_signing = [](std::string& text) { text.clear(); }; }},
    {"bad-kubeconfig", "", "its kubeconfig is no YAML, well signed", [](B& b, Text) { b.before_signing = [](std::string& text) { text = "clusters: [}\n"; }; }},
    {"no-signature", "", "it has no signature for any token", [](B& b, Text) { signature_late(b, "1000000"); }},
    {"late-signature", "N", "its first N answers have no signature", signature_late},
    {"wrong-signature", "", "its text was changed after it was signed", [](B& b, Text) { b.after_signing = [](auto& data) { data["kubeconfig"] += " "; }; }},
    {"two-clusters", "", "its kubeconfig has two clusters, well signed", two_clusters},
    {"no-ca", "", "its kubeconfig has no CA, well signed", [](B& b, Text) { b.ca_bundle = [](const World&) { return std::string(); }; }},
    {"bad-ca", "", "its CA is no certificate", [](B& b, Text) { b.ca_bundle = [](const World&) { return std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"); }; }},
    {"ca-bundle", "", "its CA is a bundle: another CA, then the true one", [](B& b, Text) { b.ca_bundle = [](const World& w) { return w.other_ca.pem() + w.ca.pem(); }; }},
    {"other-ca", "", "its CA is another one, well signed", [](B& b, Text) { b.ca_bundle = [](const World& w) { return w.other_ca.pem(); }; }},
    {"ml-dsa-ca", "", "its CA has a key of kind ML-DSA-65, well signed", [](B& b, Text) { b.ca_bundle = [](const World& w) { return with_key_of_kind(w.other_ca, "2.16.840.1.101.3.4.3.18"); }; }},
    {"second-answer-differs", "", "its second answer differs from its first", second_answer_differs},
    {"other-server", "URL", "its server is URL", [](B& b, Text a) { b.server = a; }},

    // the rest of the cluster
    {"unauthenticated", "[N]", "the first N calls with the token (default: all) get 401", unauthenticated},
    {"forbidden", "", "the token is in no group that may read kubeadm-config", [](B& b, Text) { status(b, "403,kube-system/configmaps"); }},
    {"no-kubeadm-config", "", "there is no kubeadm-config", [](B& b, Text) { status(b, "404,configmaps/kubeadm-config"); }},
    {"bad-kubeadm-config", "", "kubeadm-config is no YAML", [](B& b, Text) { after(b, "configmaps/kubeadm-config", [](Answer& x) { x.body = R"({"kind":"ConfigMap","data":{"ClusterConfiguration":"a: [}"}})"; }); }},
    {"no-kubelet-config", "", "there is no kubelet-config, of any name", [](B& b, Text) { status(b, "404,configmaps/kubelet-config"); }},
    {"version", "VERSION", "kubeadm-config says that the cluster is of VERSION", [](B& b, Text a) { b.kubernetes_version = a; }},
    {"no-node-restriction", "", "NodeRestriction is off: nodes may set their configSource", [](B& b, Text) { b.node_restriction = false; }},

    // certificate signing requests
    {"csr-pending", "", "nobody approves it", [](B& b, Text) { b.verdict = B::Verdict::none; }},
    {"csr-approved-after", "MS", "it is approved after MS milliseconds", [](B& b, Text a) { b.verdict_after = millis(a); }},
    {"csr-denied", "[MS]", "it is denied (after MS milliseconds)", [](B& b, Text a) { verdict_after(b, B::Verdict::deny, a); }},
    {"csr-unsigned", "", "it is approved, and nobody signs it", [](B& b, Text) { b.verdict = B::Verdict::approve; }},
    {"csr-failed", "[MS]", "its signer fails it", [](B& b, Text a) { verdict_after(b, B::Verdict::fail, a); }},
    {"csr-deleted", "[MS]", "it is deleted", [](B& b, Text a) { verdict_after(b, B::Verdict::remove, a); }},
    {"csr-replaced", "[MS]", "it is deleted and one of the same name made", [](B& b, Text a) { verdict_after(b, B::Verdict::replace, a); }},
    {"csr-foreign", "", "one of the same name, with another key, exists", [](B& b, Text) { b.foreign_request = true; b.verdict = B::Verdict::none; }},
    {"csr-answer-lost", "", "the connection is reset when it has been created, before the answer", lost_answer},
    {"csr-watch-ends", "N", "its first N watches end at once", [](B& b, Text a) { b.watches_that_end = number(a); }},
    {"csr-watch-breaks", "N", "its first N watches break in the middle of an event", [](B& b, Text a) { b.watches_that_break = number(a); }},
    {"csr-watch-expires", "N", "its first N watches say 410: the resource version is too old", [](B& b, Text a) { b.watches_that_expire = number(a); }},
    {"certificate-of-other-key", "", "the certificate is for another key", [](B& b, Text) { b.wrong_key = true; }},
    {"certificate-of-other-node", "", "the certificate is for another node", [](B& b, Text) { b.wrong_subject = true; }},
    {"certificate-of-other-ca", "", "the certificate is of another CA", [](B& b, Text) { b.by_other_ca = true; }},
    {"certificate-is-ca", "", "the certificate is a CA", [](B& b, Text) { b.powers = {"critical,digitalSignature,keyCertSign", "clientAuth", "critical,CA:TRUE"}; }},
    {"certificate-for-servers", "", "the certificate is for servers, too", [](B& b, Text) { b.powers.extended = "clientAuth,serverAuth"; }},
    {"certificate-expired", "", "the certificate expired an hour ago", [](B& b, Text) { b.certificate = {-7200, -3600}; }},
    {"certificate-garbage", "", "the certificate is none", [](B& b, Text) { b.garbage = true; }},

    // container runtime
    {"cri-v1alpha2", "", "the runtime knows runtime.v1alpha2 alone", [](B& b, Text) { b.cri_v1 = false; }},
    {"cri-no-runtime-config", "", "the runtime has no RuntimeConfig, as containerd before 2.0", [](B& b, Text) { b.runtime_config = false; }},
    {"cri-systemd-cgroup", "", "the runtime's cgroup driver is systemd", [](B& b, Text) { b.systemd_cgroup = true; }},
    {"cri-not-ready", "", "the runtime says that it is not ready", [](B& b, Text) { b.runtime_ready = false; }},
    {"cri-no-network", "", "the runtime has no network yet, as before a CNI plugin is there", [](B& b, Text) { b.network_ready = false; }},

    // nodes
    {"node-ready", "", "a Ready Node of the name exists", [](B& b, Text) { b.node_exists = b.existing_node_ready = true; }},
    {"node-not-ready", "", "a Node of the name exists and is not Ready", [](B& b, Text) { b.node_exists = true; }},
    {"node-never-registers", "", "the kubelet's Node is turned down", [](B& b, Text) { b.node_registers = false; }},
    {"node-never-ready", "", "the Node does not become Ready", [](B& b, Text) { b.node_gets_ready = false; }},
    {"node-ready-after", "MS", "the Node becomes Ready after MS milliseconds", [](B& b, Text a) { b.ready_after = millis(a); }},
    {"kubelet-unhealthy", "", "the kubelet's healthz says 500", [](B& b, Text) { b.kubelet_healthy = false; }},
};
// clang-format on

}  // namespace

std::span<const Fault> faults() { return kFaults; }

void play(Behaviour& behaviour, const std::string& text) {
  const auto equals = text.find('=');
  const std::string name = text.substr(0, equals),
                    argument = equals == std::string::npos ? "" : text.substr(equals + 1);
  const auto fault =
      std::find_if(std::begin(kFaults), std::end(kFaults), [&](const Fault& f) { return f.name == name; });
  if (fault == std::end(kFaults)) throw std::runtime_error("no fault named " + name + ": standin --list-faults");
  const bool needed = !fault->argument.empty() && fault->argument.front() != '[';
  if ((needed && argument.empty()) || (fault->argument.empty() && !argument.empty()))
    throw std::runtime_error("fault " + name + (needed ? " needs an argument" : " takes no argument"));
  try {
    fault->play(behaviour, argument);
  } catch (const std::logic_error&) {
    throw std::runtime_error("fault " + name + ": " + argument + " is not " + std::string(fault->argument));
  }
}

}  // namespace kubejoin::standin
