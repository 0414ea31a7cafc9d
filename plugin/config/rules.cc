// Single texts judged as kubeadm 1.37 (apis/kubeadm/validation/validation.go), the kubelet and the API server judge
// them; where they would find a mistake only on the machine or in the cluster, it is found here.
#include "config/rules.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "config/load.h"
#include "kube/kubelet_flags.h"

namespace kubejoin::config {
namespace {

constexpr std::size_t kIdSize = 6, kSecretSize = 16;  // of a token (k8s.io/cluster-bootstrap token/api/types.go)

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) { return is_lower_or_digit(c) || is_upper(c); }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

template <class Predicate>
bool all(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

bool is_clean(std::string_view text) {
  return all(text, [](char c) { return !is_control(c) && c != ' '; });
}

// Alphanumeric at both ends, with -, _ and . between (apimachinery validation.qualifiedNameFmt).
bool is_name(std::string_view text) {
  constexpr std::size_t kLongest = 63;
  return !text.empty() && text.size() <= kLongest && is_alphanumeric(text.front()) && is_alphanumeric(text.back()) &&
         all(text, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

std::string_view prefix_of(std::string_view key) {
  return key.substr(0, key.find('/') == key.npos ? 0 : key.find('/'));
}

bool is_in_domain(std::string_view name, std::string_view domain) {
  return name == domain ||
         (name.size() > domain.size() && name.ends_with(domain) && name[name.size() - domain.size() - 1] == '.');
}

// What a kubelet may say of itself (k8s.io/kubelet pkg/apis/well_known_labels.go, 1.37).
constexpr std::array<std::string_view, 11> kKubeletLabels = {"kubernetes.io/hostname",
                                                             "topology.kubernetes.io/zone",
                                                             "topology.kubernetes.io/region",
                                                             "failure-domain.beta.kubernetes.io/zone",
                                                             "failure-domain.beta.kubernetes.io/region",
                                                             "beta.kubernetes.io/instance-type",
                                                             "node.kubernetes.io/instance-type",
                                                             "kubernetes.io/os",
                                                             "kubernetes.io/arch",
                                                             "beta.kubernetes.io/os",
                                                             "beta.kubernetes.io/arch"};

// The gates of kubeadm join 1.9 to 1.12 (app/features/features.go).
constexpr std::array<std::string_view, 5> kFeatureGates = {"Auditing", "CoreDNS", "DynamicKubeletConfig", "SelfHosting",
                                                           "StoreCertsInSecrets"};

// The kubelet refuses these for its Node (pkg/kubelet/kubelet_node_status.go, validateNodeIP). All zeros alone prefer a family.
std::string_view why_no_node_ip(std::string_view text) {
  const std::string address = lower(text);
  const bool mapped = address.starts_with("::ffff:") && is_ipv4(address.substr(7));
  const std::string_view v4 = mapped ? std::string_view(address).substr(7) : is_ipv4(address) ? std::string_view(address) : "";
  const int first = v4.empty() ? 0 : std::atoi(v4.data());
  if (address == "::1" || first == 127) return "a loopback address";
  if (address.starts_with("ff") || (first >= 224 && first < 240)) return "a multicast address";
  if (v4.starts_with("169.254.") || (address.starts_with("fe") && address.size() > 3 && std::string_view("89ab").find(address[2]) != std::string_view::npos))
    return "a link-local address";
  return {};
}

// As the kubelet reads --node-ip: one address, or one of each family (k8s.io/component-helpers node/util/ips.go).
Judgement judge_node_ip(std::string_view text) {
  const auto wrong = [](std::string message, std::string hint) { return Wrong{"config.node-ip", std::move(message), std::move(hint)}; };
  const auto addresses = split(text, ',');
  for (const std::string& address : addresses) {
    if (!is_ipv4(address) && !is_ipv6(address)) return wrong(quoted(address) + " is no IP address", "");
    if (const auto why = why_no_node_ip(address); !why.empty())
      return wrong(quoted(address) + " is " + std::string(why) + "; the kubelet would not register the Node with it", "write the address by which the cluster reaches this machine");
  }
  if (addresses.size() == 1) return {};
  constexpr const char* kPair = "it looks like 10.0.0.7,2001:db8::7";
  if (addresses.size() != 2 || is_ipv4(addresses[0]) == is_ipv4(addresses[1])) return wrong(quoted(text) + " is no pair of an IPv4 and an IPv6 address", kPair);
  const auto zeros = [](const std::string& address) { return address.find_first_not_of("0:.") == address.npos; };
  if (zeros(addresses[0]) || zeros(addresses[1])) return wrong("a pair of addresses cannot have one of all zeros: " + quoted(text), kPair);
  return {};
}

std::string why_no_token(std::string_view text) {
  if (text != trim(text)) return "white space or a line break is around it";
  if (const auto dot = text.find('.'); dot == text.npos)
    return "there is no dot in it";
  else if (text.size() != kIdSize + 1 + kSecretSize || dot != kIdSize)
    return "this one has " + std::to_string(dot) + " before the dot and " + std::to_string(text.size() - dot - 1) +
           " after it";
  return std::any_of(text.begin(), text.end(), is_upper) ? "upper case is not allowed" : "another character is in it";
}

}  // namespace

bool is_token(std::string_view text) {
  return text.size() == kIdSize + 1 + kSecretSize && text[kIdSize] == '.' &&
         all(text.substr(0, kIdSize), is_lower_or_digit) && all(text.substr(kIdSize + 1), is_lower_or_digit);
}

Judgement judge_token(std::string_view text) {
  if (is_token(text)) return {};
  if (const auto left = left_over(text, LeftOver::surely)) return placeholder(*left);
  return Wrong{"config.token", "the bootstrap token is invalid: " + why_no_token(text),
               "a token is 6 characters, a dot and 16 characters, all of a-z and 0-9; kubeadm token create makes one"};
}

// kubeadm util/pubkeypin/pubkeypin.go: its sentences, but found before the first packet.
Result<std::string> normalise_pin(std::string_view text) {
  constexpr std::size_t kHexSize = 64;
  const auto wrong = [&](const std::string& message, std::string hint) {
    return fail(Kind::invalid, "config.pin",
                "invalid discovery token CA certificate hash " + quoted(text, 80) + ": " + message, std::move(hint));
  };
  const auto parts = split(text, ':');
  const bool bare = parts.size() == 1 && text.size() == kHexSize && hex_decode(text);
  if (text.find(',') != text.npos) return wrong("several in one text", "make each an item of its own");
  if (parts.size() != 2)
    return wrong("expected \"format:hex-value\". Known format(s) are: sha256",
                 bare ? "write \"sha256:" + lower(text) + "\"" : "it looks like sha256:<64 hex digits>");
  if (lower(parts[0]) != "sha256")
    return wrong("unknown hash format " + quoted(parts[0], 20) + ". Known format(s) are: sha256",
                 "it looks like sha256:<64 hex digits>");
  const bool base64_of_32 = parts[1].size() == 44 && parts[1].back() == '=';
  if (base64_of_32) return wrong("this is base64, not hex", "openssl dgst -sha256 -hex prints the hex form");
  if (parts[1].size() != kHexSize)
    return wrong("expected a 32 byte SHA-256 hash, found " + std::to_string(parts[1].size() / 2) + " bytes",
                 "copy all of it: 64 hex digits");
  if (!hex_decode(parts[1])) return wrong("not all of it is hex digits", "a pin has 0-9 and a-f alone");
  return lower(text);
}

Judgement judge_pin(std::string_view text) {
  auto pin = normalise_pin(text);
  if (pin) return {};
  return Wrong{"config.pin", std::move(pin.error().message), std::move(pin.error().hint)};
}

Judgement judge_absolute_path(std::string_view text) {
  if (text.starts_with('/') && all(text, [](char c) { return !is_control(c); })) return {};
  return Wrong{"config.path", quoted(text) + " is not an absolute path", "begin it with /"};
}

Judgement judge_ca_cert_path(std::string_view text) {
  if (text.starts_with('/') && text.ends_with(".crt") && is_clean(text)) return {};
  return Wrong{"config.ca-cert-path",
               "the ca certificate path must be an absolute path that ends in .crt, not " + quoted(text),
               "write /etc/kubernetes/pki/ca.crt"};
}

Judgement judge_cri_socket(std::string_view text) {
  const auto wrong = [&](std::string message, std::string hint) {
    return Wrong{"config.cri-socket", std::move(message), std::move(hint)};
  };
  const auto scheme = text.find("://");
  if (scheme != text.npos && text.substr(0, scheme) != "unix")
    return wrong("only URL scheme \"unix\" is supported, got " + quoted(text.substr(0, scheme)),
                 "write unix:///run/containerd/containerd.sock");
  const std::string_view path = scheme == text.npos ? text : text.substr(scheme + 3);
  if (path.starts_with('/') && path.size() > 1 && is_clean(path)) return {};
  return wrong(quoted(text) + " is not the absolute path of a socket", "write unix:///run/containerd/containerd.sock");
}

std::string normalise_cri_socket(std::string_view text) {
  return (text.starts_with('/') ? "unix://" : "") + std::string(text);
}

Judgement judge_kubeconfig_path(std::string_view text) {
  const auto wrong = [&](std::string message, std::string hint) {
    return Wrong{"config.kubeconfig-path", std::move(message), std::move(hint)};
  };
  constexpr std::string_view kHttps = "https://";
  if (text.starts_with(kHttps)) {
    std::string_view authority = text.substr(kHttps.size());
    authority = authority.substr(0, authority.find_first_of("/?#"));
    const std::string_view place = authority.substr(authority.find('@') + 1);  // behind a name and a password, where there are any
    // The port may be left out.
    const auto whole = judge_endpoint(place), without_port = judge_endpoint(std::string(place) + ":443");
    if (!is_clean(text) || (whole && without_port))
      return wrong("not a valid HTTPS URL or a file on disk: " + (is_clean(text) ? whole->message : quoted(text)), "check the address");
    return {};
  }
  const std::string path = normalise_kubeconfig_path(text);
  if (text.find("://") != text.npos && !text.starts_with("file:"))
    return wrong("if a URL is used, the scheme must be https, not " + quoted(text.substr(0, text.find("://"))),
                 "over plain HTTP anybody on the way could replace the cluster's CA");
  if (path.starts_with('/') && is_clean(path)) return {};
  return wrong("not a valid HTTPS URL or a file on disk: " + quoted(text), "write an absolute path, or https://…");
}

// file:///p and file:/p are /p; the opaque file:p has no path (Go's net/url).
std::string normalise_kubeconfig_path(std::string_view text) {
  if (!text.starts_with("file:")) return std::string(text);
  text.remove_prefix(5);
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    text.remove_prefix(std::min(text.find('/'), text.size()));  // an authority; only localhost makes sense
  }
  return text.starts_with('/') ? std::string(text) : std::string();
}

std::string normalise_node_name(std::string_view text) { return lower(trim(text)); }

Judgement judge_node_name(std::string_view text) {
  const auto wrong = [&](std::string message, std::string hint) {
    return Wrong{"config.node-name", quoted(text) + " " + std::move(message), std::move(hint)};
  };
  // The Node carries its name as the label kubernetes.io/hostname, and labels end at 63.
  constexpr std::size_t kLongest = 63;
  if (text.empty())
    return Wrong{"config.node-name", "empty hostname is invalid", "give the machine a host name, or say --node-name"};
  if (text.size() > kLongest)
    return wrong("has more than 63 characters; the API server would refuse the Node", "choose a shorter name");
  if (is_dns1123_subdomain(text)) return {};
  std::string mended(text);
  for (char& c : mended)
    if (!is_lower_or_digit(c) && c != '.') c = '-';
  while (!mended.empty() && !is_lower_or_digit(mended.back())) mended.pop_back();
  return wrong(
      "is no node name: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
      "and must start and end with an alphanumeric character",
      is_dns1123_subdomain(mended) ? "\"" + mended + "\" would be one" : "");
}

Judgement judge_delay(std::string_view text) {
  if (const auto duration = parse_duration(text); duration && *duration >= milliseconds(0)) return {};
  const bool bare = !text.empty() && all(text, is_digit);
  return Wrong{
      "config.duration", quoted(text) + " is no duration",
      bare ? "write \"" + std::string(text) + "s\", or another unit: 5m0s, 1h30m" : "it looks like 5m0s, 1h30m or 90s"};
}

Judgement judge_duration(std::string_view text) {
  if (auto wrong = judge_delay(text)) return wrong;
  if (*parse_duration(text) > milliseconds(0)) return {};
  return Wrong{"config.duration", quoted(text) + " leaves no time", "it looks like 5m0s, 1h30m or 90s"};
}

Judgement judge_qualified_name(std::string_view text) {
  const std::string_view prefix = prefix_of(text);
  const std::string_view name = prefix.empty() ? text : text.substr(prefix.size() + 1);
  if (!prefix.empty() && !is_dns1123_subdomain(prefix))
    return Wrong{"config.label", "the prefix of " + quoted(text) + " is no DNS name", "it looks like example.com/name"};
  if (is_name(name)) return {};
  return Wrong{"config.label",
               quoted(text) +
                   " is no qualified name: at most 63 characters of A-Z, a-z, 0-9, -, _ and ., the first and last "
                   "alphanumeric, after an optional prefix and /",
               ""};
}

// As the kubelet reads --register-with-taints (pkg/util/taints, parseTaint).
Judgement judge_taint(std::string_view text) {
  const auto colon = text.rfind(':');
  const std::string_view effect = colon == text.npos ? "" : text.substr(colon + 1), rest = text.substr(0, colon);
  if (effect != "NoSchedule" && effect != "PreferNoSchedule" && effect != "NoExecute")
    return Wrong{"config.taint", quoted(text) + " is no taint", "it looks like key=value:NoSchedule; the effect is NoSchedule, PreferNoSchedule or NoExecute"};
  const auto equals = std::min(rest.find('='), rest.size());
  if (auto wrong = judge_qualified_name(rest.substr(0, equals))) return wrong;
  return judge_label_value(rest.substr(std::min(equals + 1, rest.size())));
}

Judgement judge_label_value(std::string_view text) {
  if (text.empty() || is_name(text)) return {};
  return Wrong{
      "config.label",
      quoted(text) +
          " is no label value: at most 63 characters of A-Z, a-z, 0-9, -, _ and ., the first and last alphanumeric",
      ""};
}

Judgement judge_label_key(std::string_view text) {
  if (auto wrong = judge_qualified_name(text)) return wrong;
  const std::string_view prefix = prefix_of(text);
  const bool reserved = is_in_domain(prefix, "kubernetes.io") || is_in_domain(prefix, "k8s.io");
  const bool allowed = is_in_domain(prefix, "node.kubernetes.io") || is_in_domain(prefix, "kubelet.kubernetes.io") ||
                       std::find(kKubeletLabels.begin(), kKubeletLabels.end(), text) != kKubeletLabels.end();
  if (!reserved || allowed) return {};
  const std::string name(text.substr(prefix.size() + 1));
  const bool role = prefix == "node-role.kubernetes.io";
  return Wrong{"config.label",
               "a kubelet may not give its own Node the label " + quoted(text) + "; it would refuse to start",
               role ? "after the join: kubectl label node NAME " + std::string(text) + "="
                    : "write node.kubernetes.io/" + name + ", or a prefix of your own"};
}

Judgement judge_arg_name(std::string_view text) {
  const auto wrong = [&](std::string message, std::string hint) {
    return Wrong{"config.kubelet-arg", std::move(message), std::move(hint)};
  };
  if (text.empty()) return wrong("argument has no name", "");
  if (text.starts_with('-'))
    return wrong(quoted(text) + " begins with a dash",
                 "write " + std::string(text.substr(std::min(text.find_first_not_of('-'), text.size()))));
  if (const auto equals = text.find('='); equals != text.npos)
    return wrong(quoted(text) + " holds a value", "the name is " + quoted(text.substr(0, equals)));
  if (all(text, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; })) return {};
  return wrong(quoted(text) + " is no name of an argument", "");
}

// Values end up in a line of an environment file; a label or a taint that the kubelet refuses stops it from starting.
Judgement judge_arg_value(std::string_view given, std::string_view text) {
  const std::string name = replace_all(std::string(given), "_", "-");
  if (!kube::carriable(text))
    return Wrong{"config.kubelet-arg", "a line break or another control character is in it",
                 "arguments of the kubelet are one line"};
  if (name == "hostname-override") return judge_node_name(normalise_node_name(text));
  if (text.empty()) return {};
  if (name == "node-ip") return judge_node_ip(text);
  if (name == "register-with-taints") {
    for (const std::string& taint : split(text, ','))
      if (auto wrong = judge_taint(taint)) return wrong;
    return {};
  }
  if (name != "node-labels") return {};
  for (const std::string& label : split(text, ',')) {
    if (label.empty()) continue;  // a comma too many: the kubelet skips it
    // A key alone is a label with an empty value (component-base/cli/flag/configuration_map.go).
    const auto equals = std::min(label.find('='), label.size());
    if (auto wrong = judge_label_key(trim(label.substr(0, equals)))) return wrong;
    if (auto wrong = judge_label_value(trim(std::string_view(label).substr(std::min(equals + 1, label.size()))))) return wrong;
  }
  return {};
}

Judgement judge_feature_gate(std::string_view name) {
  if (std::find(kFeatureGates.begin(), kFeatureGates.end(), name) != kFeatureGates.end()) return {};
  const std::vector<std::string> known(kFeatureGates.begin(), kFeatureGates.end());
  const auto meant = did_you_mean(name, known);
  return Wrong{"config.feature-gate",
               "unknown feature gate " + quoted(name) + (meant ? " (did you mean \"" + *meant + "\"?)" : ""),
               "known are " + join(known, ", ")};
}

Judgement judge_ip(std::string_view text) {
  auto wrong = judge_node_ip(text);
  if (wrong && text.find('/') != text.npos && !judge_cidr(text))
    wrong->hint = "write {cidr: " + printable(text) + "} to choose the machine's address inside a network";
  return wrong;
}

Judgement judge_cidr(std::string_view text) {
  const auto slash = text.find('/');
  if (slash != text.npos) {
    const std::string_view address = text.substr(0, slash), bits = text.substr(slash + 1);
    const int most = is_ipv4(address) ? 32 : is_ipv6(address) ? 128 : -1;
    int size = 0;
    const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), size);
    if (error == std::errc() && end == bits.data() + bits.size() && size >= 0 && size <= most) return {};
  }
  return Wrong{"config.node-ip", quoted(text) + " is no network", "it looks like 10.0.0.0/8 or 2001:db8::/32"};
}

Judgement judge_provider_id(std::string_view text) {
  if (text.find("://") != text.npos && !text.starts_with(':') && is_clean(text)) return {};
  return Wrong{"config.provider-id", quoted(text) + " is no provider id",
               "it looks like aws:///eu-central-1a/i-0123456789abcdef0"};
}

// A URL may be signed: the text is not shown.
Judgement judge_token_from(std::string_view text) {
  const auto wrong = [&](std::string message, std::string hint) {
    return Wrong{"config.token-from", std::move(message), std::move(hint)};
  };
  constexpr std::string_view kForms = "credential:NAME, file:/PATH, https://URL or metadata:PATH";
  const auto rest = [&](std::string_view scheme) { return text.substr(scheme.size()); };
  if (is_token(text))
    return wrong("this is a token itself",
                 "a token stands in the JoinConfiguration; here stands where to read it: " + std::string(kForms));
  if (!is_clean(text)) return wrong("white space or a control character is in it", "");
  if (text.starts_with("http://")) return wrong("a token must not come over plain HTTP", "use https://");
  if (text.starts_with("file:"))
    return rest("file:").starts_with('/')
               ? Judgement()
               : wrong("the path after file: is not absolute", "it looks like file:/run/secrets/join-token");
  if (text.starts_with("credential:")) {
    const std::string_view name = rest("credential:");
    return !name.empty() && name.find('/') == name.npos
               ? Judgement()
               : wrong("credential: wants the name of a credential, not a path", "it looks like credential:join-token");
  }
  const bool known = text.starts_with("https://") || text.starts_with("metadata:");
  if (known && text.size() > text.find(':') + 3) return {};
  return wrong("none of " + std::string(kForms), "");
}

}  // namespace kubejoin::config
