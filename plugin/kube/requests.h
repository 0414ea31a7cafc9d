// The API server's paths and bodies that a join needs: the one place that spells them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/host.h"

namespace kubejoin::kube {

// Paths begin with '/' and go behind "https://HOST:PORT"; every name in them is percent-encoded (RFC 3986 §2.1).
std::string version_path();
std::string cluster_info_path();  // ConfigMap kube-public/cluster-info: readable without credentials
std::string config_map_path(std::string_view name, std::string_view name_space = "kube-system");
std::string node_path(std::string_view name);

// Newest first; v1 came with 1.19, v1beta1 went with 1.22.
inline constexpr std::string_view kCsrApis[] = {"certificates.k8s.io/v1", "certificates.k8s.io/v1beta1"};
std::string csr_collection_path(std::string_view api_version);  // POST
std::string csr_path(std::string_view api_version, std::string_view name);

// Watches of one object by name. An empty resource version starts with an ADDED event for an object that exists.
// `seconds` is when the server ends it by itself.
std::string csr_watch_path(std::string_view api_version, std::string_view name, std::string_view resource_version,
                           int seconds);
std::string node_watch_path(std::string_view name, std::string_view resource_version, int seconds);

// PATCH of a Node's labels and annotations; what is not named stays.
inline constexpr std::string_view kNodePatchType = "application/strategic-merge-patch+json";
std::string node_patch(const std::map<std::string, std::string>& labels,
                       const std::map<std::string, std::string>& annotations);
// Where kubeadm up to 1.33 notes the runtime's socket for its later upgrades (cmd/kubeadm/app/constants).
inline constexpr std::string_view kCriSocketAnnotation = "kubeadm.alpha.kubernetes.io/cri-socket";

// POST of an Event about a Node (core/v1), which lives in namespace "default" as a Node has none.
std::string node_events_path();
std::string node_event(std::string_view node_name, std::string_view node_uid, std::string_view reason,
                       std::string_view message, WallTime now);

}  // namespace kubejoin::kube
