// Bodies, codes and sentences are those of real API servers (tests/golden, and their source where a comment names it).
#include "cluster.h"

#include <algorithm>
#include <ctime>

#include <openssl/rand.h>
#include <sys/stat.h>

namespace kubejoin::standin {
namespace {

constexpr char kCsrs[] = "certificatesigningrequests";
constexpr char kSigner[] = "kubernetes.io/kube-apiserver-client-kubelet";

std::string time_text(const char* format, std::chrono::seconds skew = {}) {
  const std::time_t now = std::time(nullptr) + static_cast<std::time_t>(skew.count());
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[64];
  std::strftime(text, sizeof text, format, &parts);
  return text;
}
std::string rfc3339() { return time_text("%Y-%m-%dT%H:%M:%SZ"); }

std::string random_text(std::size_t size, std::string_view alphabet) {
  std::string text(size, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(text.data()), static_cast<int>(size));
  for (char& c : text) c = alphabet[static_cast<unsigned char>(c) % alphabet.size()];
  return text;
}
std::string make_uid() {
  constexpr char kHex[] = "0123456789abcdef";
  return random_text(8, kHex) + "-" + random_text(4, kHex) + "-4" + random_text(3, kHex) + "-8" + random_text(3, kHex) +
         "-" + random_text(12, kHex);
}

std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      plain += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// The value of `name` in a query; "" when it is absent.
std::string parameter(const std::string& query, std::string_view name) {
  for (std::size_t at = 0; at < query.size();) {
    const auto end = std::min(query.find('&', at), query.size());
    const std::string_view one(query.data() + at, end - at);
    if (one.substr(0, name.size() + 1) == std::string(name) + "=") return unescaped(one.substr(name.size() + 1));
    at = end + 1;
  }
  return {};
}

std::string selected_name(const Request& request) {
  const std::string selector = parameter(request.query, "fieldSelector");
  return selector.rfind("metadata.name=", 0) == 0 ? selector.substr(14) : "";
}

Answer json(std::string body, int status = 200) { return {.status = status, .body = std::move(body)}; }

Answer not_found(const std::string& resource, const std::string& name) {
  return status_answer(404, "NotFound", resource + " \"" + name + "\" not found",
                       fill(R"({"name":"$name","kind":"$kind"})", {{"name", name}, {"kind", resource}}));
}

bool merge(rapidjson::Value& into, const rapidjson::Value& patch, Json::AllocatorType& memory) {
  if (!patch.IsObject()) return false;
  if (!into.IsObject()) into.SetObject();
  for (const auto& member : patch.GetObject()) {
    if (member.value.IsNull()) {
      into.RemoveMember(member.name);
      continue;
    }
    if (!into.HasMember(member.name)) into.AddMember(rapidjson::Value(member.name, memory), rapidjson::Value(), memory);
    rapidjson::Value& old = into[member.name];
    if (!merge(old, member.value, memory)) old.CopyFrom(member.value, memory);
  }
  return true;
}

}  // namespace

bool concerns(const Call& call, const std::string& part) { return call.request.line().find(part) != std::string::npos; }

Answer status_answer(int code, const std::string& reason, const std::string& message, const std::string& details) {
  return json(
      fill(
          R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"$message","reason":"$reason",)",
          {{"message", message}, {"reason", reason}}) +
          (details.empty() ? "" : "\"details\":" + details + ",") + "\"code\":" + std::to_string(code) + "}",
      code);
}

Cluster::Cluster(Loop& loop, const World& world, const Behaviour& behaviour,
                 std::function<void(const std::string&)> log)
    : loop_(loop), world_(world), behaviour_(behaviour), log_(std::move(log)) {}

// ---- who asks, what for ----

User Cluster::user_of(const Exchange& exchange) const {
  if (exchange.peer.certificate) {
    const Subject subject = verified_subject(world_.ca, exchange.peer.certificate);
    if (subject.organization == "system:nodes") return {subject.common_name, User::Kind::node};
    return {"(certificate)", User::Kind::unknown};
  }
  const auto header = exchange.request.headers.find("authorization");
  if (header == exchange.request.headers.end()) return {};
  if (header->second == "Bearer " + world_.token())
    return {"system:bootstrap:" + world_.token_id, User::Kind::bootstrap};
  return {"(bearer)", User::Kind::unknown};
}

Cluster::Target Cluster::target_of(const Request& request) {
  std::vector<std::string> parts;
  for (std::size_t at = 1; at <= request.path.size();) {
    const auto end = std::min(request.path.find('/', at), request.path.size());
    parts.push_back(unescaped(std::string_view(request.path).substr(at, end - at)));
    at = end + 1;
  }
  Target target;
  std::size_t next = 0;
  const auto take = [&] { return next < parts.size() ? parts[next++] : std::string(); };
  const std::string root = take();
  if (root == "api")
    target.api_version = take();
  else if (root == "apis")
    target.api_version = take(), target.api_version += "/" + take();
  else
    return target;
  target.resource = take();
  if (target.resource == "namespaces") target.name_space = take(), target.resource = take();
  target.name = take();
  target.subresource = take();
  const std::string watching = parameter(request.query, "watch");
  if (request.method == "GET")
    target.verb = !target.name.empty() ? "get" : watching == "true" || watching == "1" ? "watch" : "list";
  if (request.method == "POST") target.verb = "create";
  if (request.method == "PATCH") target.verb = "patch";
  return target;
}

// The grants of a kubeadm cluster, and the Node authorizer's (kubeadm app/phases/bootstraptoken,
// plugin/pkg/auth/authorizer/node).
bool Cluster::may(const User& user, const Target& target) const {
  const bool is_config = target.resource == "configmaps" && target.verb == "get";
  if (is_config && target.name_space == "kube-public" && target.name == "cluster-info") return true;
  if (user.kind == User::Kind::anonymous) return false;
  if (is_config && target.name_space == "kube-system")
    return target.name == "kubeadm-config" || target.name == world_.release->kubelet_config_map ||
           target.name == "kube-proxy";
  if (target.resource == kCsrs) return target.verb != "patch";
  if (user.kind == User::Kind::bootstrap) return target.resource == "nodes" && target.verb == "get";
  if (target.resource == "events") return target.verb == "create";
  return target.resource == "nodes";
}

void Cluster::serve(const std::shared_ptr<Exchange>& exchange) {
  const User user = user_of(*exchange);
  const Call call{exchange->request, user};
  for (const auto& instead : behaviour_.instead)
    if (auto answer = instead(call)) return deliver(exchange, user, *std::move(answer));
  auto answer = dispatch(exchange, user);
  if (!answer) return;
  for (const auto& after : behaviour_.after) after(call, *answer);
  deliver(exchange, user, *std::move(answer));
}

std::optional<Answer> Cluster::dispatch(const std::shared_ptr<Exchange>& exchange, const User& user) {
  const Request& request = exchange->request;
  if (user.kind == User::Kind::unknown) return status_answer(401, "Unauthorized", "Unauthorized");
  if (request.path == "/healthz" || request.path == "/livez" || request.path == "/readyz")
    return Answer{.body = "ok", .headers = {{"Content-Type", "text/plain; charset=utf-8"}}};
  if (request.path == "/version")
    return json(fill(R"({"major":"1","minor":"$minor","gitVersion":"$version"})",
                     {{"minor", std::string(world_.release->name.substr(2))},
                      {"version", std::string(world_.release->kubernetes_version)}}));
  if (request.path == "/discovery.conf")
    return Answer{.body = kubeconfig(), .headers = {{"Content-Type", "application/yaml"}}};
  const Target target = target_of(request);
  const bool old_csrs = target.api_version == "certificates.k8s.io/v1beta1";
  const bool known = target.resource == "configmaps" || target.resource == "nodes" || target.resource == "events" ||
                     (target.resource == kCsrs && (!old_csrs || world_.release->has_csr_v1beta1));
  if (target.resource.empty() && user.kind == User::Kind::anonymous)
    return status_answer(403, "Forbidden",
                         "forbidden: User \"system:anonymous\" cannot get path \"" + request.path + "\"", "{}");
  if (!may(user, target)) {
    const std::string group = target.resource == kCsrs ? "certificates.k8s.io" : "";
    const std::string where =
        target.name_space.empty() ? "at the cluster scope" : "in the namespace \"" + target.name_space + "\"";
    return status_answer(
        403, "Forbidden",
        target.resource + (target.name.empty() ? "" : " \"" + target.name + "\"") + " is forbidden: User \"" +
            user.name + "\" cannot " + target.verb + " resource \"" + target.resource + "\" in API group \"" + group +
            "\" " + where,
        fill(R"({"name":"$name","kind":"$kind"})", {{"name", target.name}, {"kind", target.resource}}));
  }
  if (!known)
    return Answer{
        .status = 404, .body = "404 page not found\n", .headers = {{"Content-Type", "text/plain; charset=utf-8"}}};
  if (target.verb == "watch") return watch(exchange, user, target), std::nullopt;
  if (target.verb == "list") return list(target, request);
  if (target.resource == "configmaps") return config_map(target);
  if (target.resource == "events") return json(request.body, 201);
  if (target.verb == "create")
    return target.resource == kCsrs ? create_csr(user, target, request.body) : create_node(user, request.body);
  if (target.resource == "nodes" && behaviour_.node_exists && !find("nodes", target.name))
    add_node(target.name, behaviour_.existing_node_ready);
  if (target.verb == "patch") return patch_node(target, request.body);
  return get(target);
}

void Cluster::deliver(const std::shared_ptr<Exchange>& exchange, const User& user, Answer answer) {
  log_call(*exchange, user, answer.delivery == Answer::Delivery::never ? 0 : answer.status);
  answer.headers.insert(answer.headers.begin(), {{"Audit-Id", make_uid()}, {"Cache-Control", "no-cache, private"}});
  answer.headers.emplace_back("Date", time_text("%a, %d %b %Y %H:%M:%S GMT", behaviour_.date_skew));
  if (answer.last) exchange->last();
  switch (answer.delivery) {
    case Answer::Delivery::whole:
      exchange->head(answer.status, answer.headers, static_cast<std::int64_t>(answer.body.size()));
      exchange->body(answer.body);
      return exchange->end();
    case Answer::Delivery::slow:
      exchange->head(answer.status, answer.headers, static_cast<std::int64_t>(answer.body.size()));
      return send_slowly(exchange, std::move(answer.body));
    case Answer::Delivery::truncated:
      exchange->head(answer.status, answer.headers, static_cast<std::int64_t>(answer.body.size()));
      exchange->body(std::string_view(answer.body).substr(0, answer.body.size() / 2));
      return exchange->reset();
    case Answer::Delivery::never:
      return unanswered_.push_back(exchange);
    case Answer::Delivery::dropped:
      return exchange->drop();
  }
}

void Cluster::log_call(const Exchange& exchange, const User& user, int status) {
  const Peer& peer = exchange.peer;
  const auto agent = exchange.request.headers.find("user-agent");
  const std::string program =
      agent == exchange.request.headers.end() ? "-" : agent->second.substr(0, agent->second.find('/'));
  log_("conn=" + std::to_string(peer.connection) + " " + std::string(peer.protocol) +
       " tls=" + (peer.resumed ? "resumed" : "new") + " agent=" + program + " user=" + user.name + " " +
       std::to_string(status) + " " + exchange.request.line());
}

void Cluster::send_slowly(const std::shared_ptr<Exchange>& exchange, std::string body) {
  if (!exchange->is_open()) return;
  if (body.empty()) return exchange->end();
  exchange->body(body.substr(0, 1));
  loop_.after(Millis{1}, [this, exchange, rest = body.substr(1)] { send_slowly(exchange, rest); });
}

void Cluster::serve_health(const std::shared_ptr<Exchange>& exchange) {
  struct stat info {};
  const bool started = ::stat((world_.state + "/kubelet-started").c_str(), &info) == 0;
  const bool healthy = started && behaviour_.kubelet_healthy && exchange->request.path == "/healthz";
  log_("kubelet " + std::to_string(healthy ? 200 : 500) + " " + exchange->request.line());
  const std::string body = healthy ? "ok" : "[-]syncloop failed\nhealthz check failed\n";
  exchange->head(healthy ? 200 : 500, {{"Content-Type", "text/plain; charset=utf-8"}},
                 static_cast<std::int64_t>(body.size()));
  exchange->body(body);
  exchange->end();
}

// ---- reading ----

Answer Cluster::config_map(const Target& target) const {
  if (target.name == "cluster-info") return cluster_info();
  if (target.name == "kube-proxy") return not_found("configmaps", target.name);
  const std::string version = behaviour_.kubernetes_version.empty() ? std::string(world_.release->kubernetes_version)
                                                                    : behaviour_.kubernetes_version;
  const ClusterFacts facts{world_.endpoint, version, world_.healthz_port};
  const auto& make = target.name == "kubeadm-config" ? world_.release->kubeadm_config : world_.release->kubelet_config;
  return json(
      fill(
          R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"$name","namespace":"kube-system","uid":"$uid","resourceVersion":"291","creationTimestamp":"$time"},"data":{)",
          {{"name", target.name}, {"uid", make_uid()}, {"time", rfc3339()}}) +
      make(facts) + "}}");
}

std::string Cluster::kubeconfig() const {
  const std::string server = behaviour_.server.empty() ? "https://" + world_.endpoint : behaviour_.server;
  std::string text = world_.release->cluster_info(server, base64(behaviour_.ca_bundle(world_)), "");
  behaviour_.before_signing(text);
  return text;
}

Answer Cluster::cluster_info() const {
  const std::string text = kubeconfig();
  std::map<std::string, std::string> data{
      {"kubeconfig", text}, {"jws-kubeconfig-" + world_.token_id, jws(text, world_.token_id, world_.token_secret)}};
  behaviour_.after_signing(data);
  std::string members;
  for (const auto& [key, value] : data)
    members += (members.empty() ? "" : ",") + fill(R"("$key":"$value")", {{"key", key}, {"value", value}});
  return json(
      fill(
          R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"cluster-info","namespace":"kube-public","uid":"$uid","resourceVersion":"327","creationTimestamp":"$time",)"
          R"("managedFields":[{"manager":"kubeadm","operation":"Update","apiVersion":"v1","time":"$time","fieldsType":"FieldsV1","fieldsV1":{"f:data":{".":{},"f:kubeconfig":{}}}}]},"data":{)",
          {{"uid", make_uid()}, {"time", rfc3339()}}) +
      members + "}}");
}

Answer Cluster::get(const Target& target) const {
  const Json* object = find(target.resource, target.name);
  return object ? json(text_of(*object)) : not_found(target.resource, target.name);
}

Answer Cluster::list(const Target& target, const Request& request) const {
  const std::string name = selected_name(request);
  std::string items;
  if (const auto all = objects_.find(target.resource); all != objects_.end())
    for (const auto& [key, object] : all->second)
      if (name.empty() || key == name) items += (items.empty() ? "" : ",") + text_of(object);
  const char* kind = target.resource == kCsrs ? "CertificateSigningRequestList" : "NodeList";
  return json(fill(R"({"kind":"$kind","apiVersion":"$api","metadata":{"resourceVersion":"$version"},"items":[)",
                   {{"kind", kind}, {"api", target.api_version}, {"version", std::to_string(version_)}}) +
              items + "]}");
}

// As the API server does it: without a version (or "0") everything there is, as ADDED, then what happens; with one,
// what happened since.
void Cluster::watch(const std::shared_ptr<Exchange>& exchange, const User& user, const Target& target) {
  const Request& request = exchange->request;
  log_call(*exchange, user, 200);
  exchange->head(200,
                 {{"Cache-Control", "no-cache, private"},
                  {"Content-Type", "application/json"},
                  {"Date", time_text("%a, %d %b %Y %H:%M:%S GMT", behaviour_.date_skew)}},
                 -1);

  Watch watch{exchange, target.resource, selected_name(request)};
  const int number = target.resource == kCsrs ? ++csr_watches_ : 0;
  if (number > 0 && number <= behaviour_.watches_that_expire) {
    exchange->body(R"({"type":"ERROR","object":)" +
                   status_answer(410, "Expired", "too old resource version: 1 (1000)").body + "}\n");
    return exchange->end();
  }
  watch.breaks = number > 0 && number <= behaviour_.watches_that_break;
  const std::string since = parameter(request.query, "resourceVersion");
  if (since.empty() || since == "0") {
    for (const auto& [name, object] : objects_[target.resource])
      if (watch.name.empty() || name == watch.name)
        send_event(watch, {version_, target.resource, name, "ADDED", text_of(object)});
  } else {
    for (const Event& event : history_)
      if (event.version > std::stoull(since) && event.resource == target.resource &&
          (watch.name.empty() || event.name == watch.name))
        send_event(watch, event);
  }
  if (parameter(request.query, "sendInitialEvents") == "true") {
    const char* kind = target.resource == kCsrs ? "CertificateSigningRequest" : "Node";
    exchange->body(
        fill(
            R"({"type":"BOOKMARK","object":{"kind":"$kind","apiVersion":"$api","metadata":{"resourceVersion":"$version","creationTimestamp":null,"annotations":{"k8s.io/initial-events-end":"true"}}}})",
            {{"kind", kind}, {"api", target.api_version}, {"version", std::to_string(version_)}}) +
        "\n");
  }
  if (number > 0 && number <= behaviour_.watches_that_end) return exchange->end();
  watches_.push_back(std::move(watch));
  const std::string seconds = parameter(request.query, "timeoutSeconds");
  if (seconds.empty()) return;
  loop_.after(std::chrono::seconds{std::stoi(seconds)}, [this, exchange] {
    watches_.erase(
        std::remove_if(watches_.begin(), watches_.end(), [&](const Watch& w) { return w.exchange == exchange; }),
        watches_.end());
    exchange->end();
  });
}

void Cluster::send_event(Watch& watch, const Event& event) {
  const std::string line = R"({"type":")" + event.type + R"(","object":)" + event.object + "}\n";
  if (!watch.breaks) return watch.exchange->body(line);
  watch.exchange->body(std::string_view(line).substr(0, line.size() / 2));
  watch.exchange->reset();
}

// ---- writing ----

// Validation as in pkg/apis/certificates/validation of 1.37, of what a joiner can get wrong.
Answer Cluster::create_csr(const User& user, const Target& target, const std::string& body) {
  Json csr = parse(body);
  if (csr.HasParseError() || !csr.IsObject())
    return status_answer(400, "BadRequest", "the object provided is unrecognized");
  const std::string prefix = text_at(csr, "/metadata/generateName");
  std::string name = text_at(csr, "/metadata/name");
  if (name.empty() && !prefix.empty()) name = prefix + random_text(5, "bcdfghjklmnpqrstvwxz2456789");
  const auto invalid = [&](const std::string& why) {
    return status_answer(422, "Invalid",
                         "CertificateSigningRequest.certificates.k8s.io \"" + name + "\" is invalid: " + why);
  };
  if (name.empty()) return invalid("metadata.name: Required value: name or generateName is required");
  const auto* usages = rapidjson::Pointer("/spec/usages").Get(csr);
  if (!usages || !usages->IsArray() || usages->Empty()) return invalid("spec.usages: Required value");
  if (text_at(csr, "/spec/signerName").empty() && target.api_version == "certificates.k8s.io/v1")
    return invalid("spec.signerName: Required value");
  const NodeRequest request = read_request(from_base64(text_at(csr, "/spec/request")));
  if (!request.request) return invalid("spec.request: Invalid value: PEM block type must be CERTIFICATE REQUEST");
  if (find(kCsrs, name))
    return status_answer(
        409, "AlreadyExists", std::string(kCsrs) + ".certificates.k8s.io \"" + name + "\" already exists",
        fill(R"({"name":"$name","group":"certificates.k8s.io","kind":"$kind"})", {{"name", name}, {"kind", kCsrs}}));
  set(csr, "/metadata/name", name);
  set(csr, "/metadata/uid", make_uid());
  set(csr, "/metadata/creationTimestamp", rfc3339());
  if (text_at(csr, "/spec/signerName").empty()) set(csr, "/spec/signerName", kSigner);
  set(csr, "/spec/username", user.name);
  rapidjson::Pointer("/spec/groups")
      .Set(csr,
           parse(
               R"(["system:bootstrappers","system:bootstrappers:kubeadm:default-node-token","system:authenticated"])"));
  rapidjson::Pointer("/status").Set(csr, parse("{}"));
  const bool foreign = behaviour_.foreign_request;
  if (foreign) {  // somebody was there first, with a key of their own
    set(csr, "/spec/request", base64(make_request(request.common_name)));
    set(csr, "/spec/username", "system:bootstrap:zzzzzz");
  }
  put(kCsrs, name, std::move(csr), "ADDED");
  if (foreign) return create_csr(user, target, body);
  loop_.after(behaviour_.verdict_after, [this, name] { decide(name); });
  return json(text_of(*find(kCsrs, name)), 201);
}

Answer Cluster::create_node(const User& user, const std::string& body) {
  Json node = parse(body);
  const std::string name = node.IsObject() ? text_at(node, "/metadata/name") : "";
  if (user.name != "system:node:" + name)
    return status_answer(403, "Forbidden",
                         "nodes \"" + name + "\" is forbidden: node \"" + user.name.substr(12) +
                             "\" is not allowed to modify node \"" + name + "\"");
  if (find("nodes", name))
    return status_answer(409, "AlreadyExists", "nodes \"" + name + "\" already exists",
                         fill(R"({"name":"$name","kind":"nodes"})", {{"name", name}}));
  if (!behaviour_.node_registers)
    return status_answer(503, "ServiceUnavailable", "the server is currently unable to handle the request");
  add_node(name, false);
  merge(*find("nodes", name), node, find("nodes", name)->GetAllocator());
  if (behaviour_.node_gets_ready) loop_.after(behaviour_.ready_after, [this, name] { make_ready(name); });
  return json(text_of(*find("nodes", name)), 201);
}

// A merge patch; for labels, annotations and spec.configSource a strategic one means the same.
Answer Cluster::patch_node(const Target& target, const std::string& body) {
  Json* node = find("nodes", target.name);
  if (!node) return not_found("nodes", target.name);
  const Json patch = parse(body);
  if (patch.HasParseError() || !patch.IsObject())
    return status_answer(400, "BadRequest", "the patch is not a JSON object");
  if (behaviour_.node_restriction && rapidjson::Pointer("/spec/configSource").Get(patch))
    return status_answer(403, "Forbidden",
                         "nodes \"" + target.name + "\" is forbidden: node \"" + target.name +
                             "\" is not allowed to update configSource to a new non-nil configSource",
                         fill(R"({"name":"$name","kind":"nodes"})", {{"name", target.name}}));
  Json changed;
  changed.CopyFrom(*node, changed.GetAllocator());
  merge(changed, patch, changed.GetAllocator());
  put("nodes", target.name, std::move(changed), "MODIFIED");
  return get(target);
}

// ---- the controllers ----

// What kube-controller-manager's approver and signer do with it (pkg/controller/certificates/{approver,signer}).
void Cluster::decide(const std::string& name) {
  using Verdict = Behaviour::Verdict;
  const Json* csr = find(kCsrs, name);
  if (!csr) return;
  switch (behaviour_.verdict) {
    case Verdict::none:
      return;
    case Verdict::deny:
      return add_condition(name, "Denied", "KubectlDeny", "This CSR was denied by kubectl certificate deny.");
    case Verdict::remove:
      return remove(kCsrs, name);
    case Verdict::replace: {
      Json other;
      other.CopyFrom(*csr, other.GetAllocator());
      set(other, "/metadata/uid", make_uid());
      remove(kCsrs, name);
      return put(kCsrs, name, std::move(other), "ADDED");
    }
    case Verdict::approve:
      return add_condition(name, "Approved", "KubectlApprove", "This CSR was approved by kubectl certificate approve.");
    case Verdict::fail:
      add_condition(name, "Approved", "AutoApproved",
                    "Auto approving kubelet client certificate after SubjectAccessReview.");
      return add_condition(name, "Failed", "SignerValidationFailure", "requested usages are not allowed");
    case Verdict::issue:
      break;
  }
  const NodeRequest read = read_request(from_base64(text_at(*csr, "/spec/request")));
  std::string usages = text_of(*rapidjson::Pointer("/spec/usages").Get(*csr));
  const bool all_three = usages == R"(["digital signature","key encipherment","client auth"])";
  const bool two = usages == R"(["digital signature","client auth"])" && world_.release->takes_two_usages;
  if (!read.problem.empty() || text_at(*csr, "/spec/signerName") != kSigner || !(all_three || two)) {
    log_("csr " + name + " stays pending: " + (read.problem.empty() ? "signer or usages " + usages : read.problem));
    return;
  }
  add_condition(name, "Approved", "AutoApproved",
                "Auto approving kubelet client certificate after SubjectAccessReview.");
  issue(name);
}

void Cluster::issue(const std::string& name) {
  Json csr;
  csr.CopyFrom(*find(kCsrs, name), csr.GetAllocator());
  const NodeRequest read = read_request(from_base64(text_at(csr, "/spec/request")));
  const Owned<EVP_PKEY> other_key = behaviour_.wrong_key ? make_key(KeyType::ec) : nullptr;
  const std::string pem = sign_request(behaviour_.by_other_ca ? world_.other_ca : world_.ca, read.request.get(),
                                       behaviour_.wrong_subject ? "system:node:somebody-else" : read.common_name,
                                       other_key.get(), behaviour_.certificate, behaviour_.powers);
  set(csr, "/status/certificate",
      base64(behaviour_.garbage ? "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n"
                                : pem));
  put(kCsrs, name, std::move(csr), "MODIFIED");
}

void Cluster::add_condition(const std::string& name, const char* type, const char* reason, const char* message) {
  Json csr;
  csr.CopyFrom(*find(kCsrs, name), csr.GetAllocator());
  const Json condition = parse(fill(
      R"({"type":"$type","status":"True","reason":"$reason","message":"$message","lastUpdateTime":"$time","lastTransitionTime":"$time"})",
      {{"type", type}, {"reason", reason}, {"message", message}, {"time", rfc3339()}}));
  if (!rapidjson::Pointer("/status/conditions").Get(csr))
    rapidjson::Pointer("/status/conditions").Set(csr, parse("[]"));
  rapidjson::Pointer("/status/conditions/-").Set(csr, condition);
  put(kCsrs, name, std::move(csr), "MODIFIED");
}

void Cluster::add_node(const std::string& name, bool ready) {
  put("nodes", name,
      parse(fill(
          R"({"kind":"Node","apiVersion":"v1","metadata":{"name":"$name","uid":"$uid","creationTimestamp":"$time","labels":{"kubernetes.io/hostname":"$name","kubernetes.io/os":"linux"},"annotations":{}},)"
          R"("spec":{},"status":{"conditions":[{"type":"Ready","status":"$ready","reason":"$reason","message":"","lastHeartbeatTime":"$time","lastTransitionTime":"$time"}]}})",
          {{"name", name},
           {"uid", make_uid()},
           {"time", rfc3339()},
           {"ready", ready ? "True" : "False"},
           {"reason", ready ? "KubeletReady" : "KubeletNotReady"}})),
      "ADDED");
}

void Cluster::make_ready(const std::string& name) {
  Json node;
  node.CopyFrom(*find("nodes", name), node.GetAllocator());
  set(node, "/status/conditions/0/status", "True");
  set(node, "/status/conditions/0/reason", "KubeletReady");
  set(node, "/status/conditions/0/message", "kubelet is posting ready status");
  put("nodes", name, std::move(node), "MODIFIED");
}

// ---- objects and who watches them ----

void Cluster::put(const std::string& resource, const std::string& name, Json object, const char* event) {
  set(object, "/metadata/resourceVersion", std::to_string(++version_));
  const std::string text = text_of(object);
  objects_[resource].insert_or_assign(name, std::move(object));
  publish(resource, name, event, text);
}

void Cluster::remove(const std::string& resource, const std::string& name) {
  ++version_;
  const std::string text = text_of(*find(resource, name));
  objects_[resource].erase(name);
  publish(resource, name, "DELETED", text);
}

void Cluster::publish(const std::string& resource, const std::string& name, const char* type,
                      const std::string& object) {
  history_.push_back({version_, resource, name, type, object});
  const Event event = history_.back();
  watches_.erase(
      std::remove_if(watches_.begin(), watches_.end(), [](const Watch& w) { return !w.exchange->is_open(); }),
      watches_.end());
  for (Watch& watch : watches_)
    if (watch.resource == resource && (watch.name.empty() || watch.name == name)) send_event(watch, event);
}

const Json* Cluster::find(const std::string& resource, const std::string& name) const {
  const auto all = objects_.find(resource);
  if (all == objects_.end()) return nullptr;
  const auto one = all->second.find(name);
  return one == all->second.end() ? nullptr : &one->second;
}
Json* Cluster::find(const std::string& resource, const std::string& name) {
  return const_cast<Json*>(static_cast<const Cluster*>(this)->find(resource, name));
}

}  // namespace kubejoin::standin
