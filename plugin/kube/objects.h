// API objects that a join reads. They come from a server: bounded, and refused when malformed ("kube.object").
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kubejoin::kube {

struct ConfigMap {
  std::string uid;
  std::map<std::string, std::string> data;
};
Result<ConfigMap> parse_config_map(std::string_view json);

struct Node {
  std::string name, uid;
  bool ready = false;  // condition Ready is "True"
  std::map<std::string, std::string> labels, annotations;
};
Result<Node> parse_node(std::string_view json);

// CertificateSigningRequest of certificates.k8s.io/v1 or v1beta1.
struct Csr {
  std::string name, uid, resource_version;
  // By the types of its conditions, whatever their status says (client-go util/certificate/csr): denied and failed are
  // final.
  enum class State { pending, approved, issued, denied, failed } state = State::pending;
  std::string reason, message;                 // of the deciding condition
  std::string certificate;                     // PEM, when issued: leaf first
  std::string request, signer_name, username;  // request: PEM
};
Result<Csr> parse_csr(std::string_view json);

// One line of a watch: {"type":"ADDED","object":{…}}; types are ADDED, MODIFIED, DELETED and BOOKMARK. An ERROR is
// returned as the Error that its Status means; "kube.watch-expired" (410) asks to start again without a resource
// version.
struct WatchEvent {
  std::string type;
  std::string object;  // JSON of the object
};
Result<WatchEvent> parse_watch_event(std::string_view line);

// What GET /version answers: "v1.9.11".
Result<std::string> parse_server_version(std::string_view json);

// Data key "ClusterConfiguration" ("MasterConfiguration" up to 1.11) of ConfigMap kubeadm-config, of any version from
// v1alpha1 on.
struct ClusterConfiguration {
  std::string cluster_name = "kubernetes", kubernetes_version, image_repository, service_subnet, dns_domain;
  std::string certificates_dir = "/etc/kubernetes/pki";
  std::map<std::string, bool> feature_gates;
  int minor() const;  // 37 of "v1.37.2"; 0 when unknown
};
// Unknown fields are of no concern; malformed ones are Kind::invalid "kube.cluster-configuration".
Result<ClusterConfiguration> parse_cluster_configuration(std::string_view yaml);

}  // namespace kubejoin::kube
