// The rules of single texts: what Kubernetes takes for a token, a pin, an endpoint, a name. Documents and flags share
// them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace kubejoin::config {

// What is wrong with a text, to be said after the name of its field. No secret is in it.
struct Wrong {
  std::string_view id;
  std::string message;
  std::string hint;
};
using Judgement = std::optional<Wrong>;  // nothing: the text is fine

// A variable or placeholder that nobody has filled in: "${LB}", "$(hostname -f)", "$LB", "<TOKEN>", "@LB@", "%LB%", "__LB__", "TODO".
// `surely`: what is one in any field: ${…} and $(…) anywhere, the others as the whole text or before :PORT. `anywhere`: also within a text,
// where it is known already that the text is wrong.
enum class LeftOver { surely, anywhere };
std::optional<std::string> left_over(std::string_view text, LeftOver how);
Wrong placeholder(std::string_view left);  // "config.placeholder"

Judgement judge_token(std::string_view text);
Judgement judge_pin(std::string_view text);
Judgement judge_endpoint(std::string_view text);  // host:port
// Why nothing can be connected to at this host, to be said before it; empty: it can. `bracketed`: it stood in [].
std::string why_no_host(std::string_view host, bool bracketed);
Judgement judge_ca_cert_path(std::string_view text);
Judgement judge_absolute_path(std::string_view text);
Judgement judge_cri_socket(std::string_view text);  // /path or unix:///path
Judgement judge_kubeconfig_path(
    std::string_view text);  // /path, file:/path or an https URL; whether it is there is asked on the machine
Judgement judge_node_name(std::string_view text);       // after normalise_node_name
Judgement judge_duration(std::string_view text);        // more than nothing
Judgement judge_delay(std::string_view text);           // nothing is fine too
Judgement judge_qualified_name(std::string_view text);  // of labels and taints: [prefix/]name
Judgement judge_taint(std::string_view text);           // key[=value]:effect
Judgement judge_label_value(std::string_view text);
Judgement judge_label_key(std::string_view text);  // one that a kubelet may give its own Node
Judgement judge_arg_name(std::string_view text);   // of the kubelet
Judgement judge_arg_value(std::string_view name, std::string_view text);
Judgement judge_feature_gate(std::string_view name);
Judgement judge_ip(std::string_view text);       // of a node, or a pair of both families
Judgement judge_cidr(std::string_view text);
Judgement judge_provider_id(std::string_view text);
Judgement judge_token_from(std::string_view text);

std::string normalise_node_name(std::string_view text);        // trimmed, lower case (kubeadm util/net.go)
std::string normalise_cri_socket(std::string_view text);       // with unix://
std::string normalise_kubeconfig_path(std::string_view text);  // file: URLs as their path; empty when they have none

}  // namespace kubejoin::config
