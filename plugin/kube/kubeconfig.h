// Kubeconfig files, read for discovery and written for the kubelet (client-go tools/clientcmd/api/v1).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace kubejoin::kube {

struct Kubeconfig {
  struct Cluster {
    std::string name, server, ca_file, tls_server_name, proxy_url;
    std::string ca_data;  // PEM
    bool insecure = false;
  };
  struct User {
    std::string name;
    Secret token, password, client_key_data;
    std::string username, token_file, client_certificate, client_key, client_certificate_data;
    bool exec = false, auth_provider = false;  // named, that is: with a command, with a name
    // A token, or a name and a password, or a certificate and a key, or a plugin (kubeadm 1.37, util/kubeconfig).
    bool has_credentials() const;
  };
  struct Context {
    std::string name, cluster, user;
  };
  std::vector<Cluster> clusters;
  std::vector<User> users;
  std::vector<Context> contexts;
  std::string current_context;

  const Cluster* cluster() const;  // named "" wins, else the current context's, else nullptr
  const User* user() const;        // the current context's or nullptr
};

// One document of at most 1 MiB, no duplicate keys or names, every known field of its type; unknown fields are left
// out, as client-go does. Paths are as written. `origin` is the text's name for the user (a path, a URL, "ConfigMap
// cluster-info"). Fails with Kind::invalid "discovery.kubeconfig"; the error shows no line of the text, which may hold
// credentials.
Result<Kubeconfig> parse_kubeconfig(std::string_view yaml, const std::string& origin);

// Byte for byte what client-go writes: bootstrap-kubelet.conf of kubeadm, kubelet.conf of the kubelet. `minor` is the
// release of the writer that is stood in for: up to 1.33 it adds "preferences: {}" (client-go 0.34 made it omitzero); 0
// is the newest.
std::string bootstrap_kubeconfig(const std::string& cluster_name, const std::string& server, std::string_view ca_pem,
                                 const Secret& token, int minor = 0);
// `pem_path` holds both the certificate and the key.
std::string kubelet_kubeconfig(const std::string& server, std::string_view ca_pem, const std::string& pem_path,
                               int minor = 0);

}  // namespace kubejoin::kube
