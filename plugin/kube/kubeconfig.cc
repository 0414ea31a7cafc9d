// Kubeconfig files, read through parse/ and written as client-go would.
#include "kube/kubeconfig.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "parse/document.h"

namespace kubejoin::kube {
namespace {

using parse::Type, parse::Value;

constexpr std::size_t kMaxBytes = 1 << 20;

// Reads members and remembers the first one that is not of its type, so that the code below can read straight on.
class Reader {
 public:
  explicit Reader(const parse::Document& document) : document_(document) {}

  const Value* member(const Value& map, std::string_view key, Type type, std::string_view type_name) {
    const Value* value = map.find(key);
    if (value == nullptr || value->type == Type::null) return nullptr;
    if (value->type == type) return value;
    refuse(*value, quoted(key) + " is not " + std::string(type_name),
           type == Type::string ? "put the value in quotes: YAML reads it as another type" : "");
    return nullptr;
  }
  std::string text(const Value& map, std::string_view key) {
    const Value* value = member(map, key, Type::string, "a string");
    return value != nullptr ? value->text : std::string();
  }
  bool flag(const Value& map, std::string_view key) {
    const Value* value = member(map, key, Type::boolean, "true or false");
    return value != nullptr && value->boolean;
  }
  std::string data(const Value& map, std::string_view key) {
    const Value* value = member(map, key, Type::string, "base64 text");
    if (value == nullptr) return {};
    std::optional<std::string> bytes = base64_decode(value->text);
    if (!bytes) refuse(*value, quoted(key) + " is not base64");
    return bytes ? std::move(*bytes) : std::string();
  }
  // Calls read(name, fields) for each {name: …, <kind>: {…}} of a list.
  template <class Read>
  void each(const Value& root, std::string_view list, std::string_view kind, Read read) {
    const Value* values = member(root, list, Type::list, "a list");
    if (values == nullptr) return;
    std::vector<std::string> names;
    static const Value kNoFields;
    for (const Value& item : values->items) {
      if (item.type != Type::map) return refuse(item, "an entry of " + quoted(list) + " is not a map");
      names.push_back(text(item, "name"));
      if (std::count(names.begin(), names.end(), names.back()) > 1)
        return refuse(item, quoted(list) + " has two entries named " + quoted(names.back()));
      const Value* fields = member(item, kind, Type::map, "a map");
      read(names.back(), fields != nullptr ? *fields : kNoFields);
    }
  }
  void refuse(const Value& value, std::string why, std::string hint = {}) {
    if (error_) return;
    error_ =
        fail(Kind::invalid, "discovery.kubeconfig", "unable to read the kubeconfig: " + std::move(why), std::move(hint))
            .value();
    error_->place = document_.place(value.mark, /*secret=*/true);
  }
  std::optional<Error> take_error() { return std::move(error_); }

 private:
  const parse::Document& document_;
  std::optional<Error> error_;
};

Result<Kubeconfig> read_document(const parse::Document& document) {
  const Value& root = document.root;
  Reader in(document);
  Kubeconfig config;
  if (root.type != Type::map) {
    in.refuse(root, "it is not a map");
    return tl::unexpected(*in.take_error());
  }
  if (const std::string kind = in.text(root, "kind"); !kind.empty() && kind != "Config")
    in.refuse(root, "its kind is " + quoted(kind) + ", not \"Config\"");
  if (const std::string version = in.text(root, "apiVersion"); !version.empty() && version != "v1")
    in.refuse(root, "its apiVersion is " + quoted(version) + ", not \"v1\"");
  config.current_context = in.text(root, "current-context");
  in.each(root, "clusters", "cluster", [&](const std::string& name, const Value& fields) {
    Kubeconfig::Cluster& cluster = config.clusters.emplace_back();
    cluster.name = name;
    cluster.server = in.text(fields, "server");
    cluster.ca_file = in.text(fields, "certificate-authority");
    cluster.ca_data = in.data(fields, "certificate-authority-data");
    cluster.tls_server_name = in.text(fields, "tls-server-name");
    cluster.proxy_url = in.text(fields, "proxy-url");
    cluster.insecure = in.flag(fields, "insecure-skip-tls-verify");
  });
  in.each(root, "users", "user", [&](const std::string& name, const Value& fields) {
    Kubeconfig::User& user = config.users.emplace_back();
    user.name = name;
    user.token = Secret(in.text(fields, "token"));
    user.token_file = in.text(fields, "tokenFile");
    user.username = in.text(fields, "username");
    user.password = Secret(in.text(fields, "password"));
    user.client_certificate = in.text(fields, "client-certificate");
    user.client_certificate_data = in.data(fields, "client-certificate-data");
    user.client_key = in.text(fields, "client-key");
    user.client_key_data = Secret(in.data(fields, "client-key-data"));
    if (const Value* exec = in.member(fields, "exec", Type::map, "a map"))
      user.exec = !in.text(*exec, "command").empty();
    if (const Value* provider = in.member(fields, "auth-provider", Type::map, "a map"))
      user.auth_provider = !in.text(*provider, "name").empty();
  });
  in.each(root, "contexts", "context", [&](const std::string& name, const Value& fields) {
    config.contexts.push_back({name, in.text(fields, "cluster"), in.text(fields, "user")});
  });
  if (auto error = in.take_error()) return tl::unexpected(std::move(*error));
  return config;
}

void wipe_all(Value& value) {
  wipe(value.text);
  for (Value& item : value.items) wipe_all(item);
  for (Value::Member& member : value.members) wipe_all(member.value);
}

template <class List>
auto* named(List& list, const std::string& name) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const auto& entry) { return entry.name == name; });
  return found != list.end() ? &*found : nullptr;
}

// A scalar as YAML, quoted when a reader would take it for another type: the token 123456.1234567890123456 is a float.
std::string scalar(std::string_view text) {
  Value value = parse::make_string(std::string(text));
  std::string yaml = text.find('\n') == text.npos
                         ? parse::to_yaml(value)
                         : parse::to_json(value);  // a block would need to know its indentation
  wipe(value.text);
  if (yaml.ends_with('\n')) yaml.pop_back();
  return yaml;
}

std::string_view preferences(int minor) { return minor != 0 && minor <= 33 ? "preferences: {}\n" : ""; }

}  // namespace

bool Kubeconfig::User::has_credentials() const {
  const bool has_certificate = !client_certificate.empty() || !client_certificate_data.empty();
  const bool has_key = !client_key.empty() || !client_key_data.empty();
  return !token.empty() || !token_file.empty() || (!username.empty() && !password.empty()) ||
         (has_certificate && has_key) || exec || auth_provider;
}

const Kubeconfig::Cluster* Kubeconfig::cluster() const {
  if (const Cluster* unnamed = named(clusters, "")) return unnamed;
  const Context* context = named(contexts, current_context);
  return context != nullptr ? named(clusters, context->cluster) : nullptr;
}

const Kubeconfig::User* Kubeconfig::user() const {
  const Context* context = named(contexts, current_context);
  return context != nullptr ? named(users, context->user) : nullptr;
}

Result<Kubeconfig> parse_kubeconfig(std::string_view yaml, const std::string& origin) {
  const auto unreadable = [&](const std::string& why) {
    auto error = fail(Kind::invalid, "discovery.kubeconfig", "unable to read the kubeconfig: " + why);
    error.value().place.file = origin;
    return error;
  };
  if (yaml.size() > kMaxBytes) return unreadable("it is longer than 1 MiB");
  const auto source = std::make_shared<parse::Source>();
  source->file = origin;
  source->text = yaml;
  parse::Yaml read = parse::read_yaml(source);
  Result<Kubeconfig> result;
  if (!read.errors.empty()) {
    result = unreadable(without_tokens(read.errors[0].message));
    result.error().place = read.errors[0].place;
    result.error().place.text.clear();  // may be the line with the key
  } else if (read.documents.size() != 1) {
    result = unreadable(read.documents.empty() ? "it is empty" : "it has more than one document");
  } else {
    result = read_document(read.documents[0]);
  }
  for (parse::Document& document : read.documents) wipe_all(document.root);
  wipe(source->text);
  return result;
}

std::string bootstrap_kubeconfig(const std::string& cluster_name, const std::string& server, std::string_view ca_pem,
                                 const Secret& token, int minor) {
  std::string text;
  text += "apiVersion: v1\n";
  text += "clusters:\n";
  text += "- cluster:\n";
  text += "    certificate-authority-data: " + base64(ca_pem) + "\n";
  text += "    server: " + scalar(server) + "\n";
  text += "  name: " + scalar(cluster_name) + "\n";
  text += "contexts:\n";
  text += "- context:\n";
  text += "    cluster: " + scalar(cluster_name) + "\n";
  text += "    user: tls-bootstrap-token-user\n";
  text += "  name: tls-bootstrap-token-user@kubernetes\n";
  text += "current-context: tls-bootstrap-token-user@kubernetes\n";
  text += "kind: Config\n";
  text += preferences(minor);
  text += "users:\n";
  text += "- name: tls-bootstrap-token-user\n";
  text += "  user:\n";
  text += "    token: " + scalar(token.expose()) + "\n";
  return text;
}

std::string kubelet_kubeconfig(const std::string& server, std::string_view ca_pem, const std::string& pem_path,
                               int minor) {
  std::string text;
  text += "apiVersion: v1\n";
  text += "clusters:\n";
  text += "- cluster:\n";
  text += "    certificate-authority-data: " + base64(ca_pem) + "\n";
  text += "    server: " + scalar(server) + "\n";
  text += "  name: default-cluster\n";
  text += "contexts:\n";
  text += "- context:\n";
  text += "    cluster: default-cluster\n";
  text += "    namespace: default\n";
  text += "    user: default-auth\n";
  text += "  name: default-context\n";
  text += "current-context: default-context\n";
  text += "kind: Config\n";
  text += preferences(minor);
  text += "users:\n";
  text += "- name: default-auth\n";
  text += "  user:\n";
  text += "    client-certificate: " + scalar(pem_path) + "\n";
  text += "    client-key: " + scalar(pem_path) + "\n";
  return text;
}

}  // namespace kubejoin::kube
