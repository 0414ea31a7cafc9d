// FakeCluster: the API server and the machine of a join, scripted. Its ConfigMaps and its Node are those of a real cluster
// (tests/golden/RELEASE); its CA is its own, so that it signs what a join asks for.
//
//   FakeHost host;
//   FakeCluster cluster("1.37");
//   cluster.attach(host);                       // host's network leads to it; the machine passes preflight
//   auto result = join(host, cluster.config()); // as `kubejoin join` would
//
// Faults are knobs. What a path answers instead of the usual goes into `instead`, a queue for each key "METHOD /path".
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "authority.h"
#include "cli/join_run.h"
#include "config/join_config.h"
#include "fake_host.h"

namespace kubejoin {

inline constexpr char kTestToken[] = "abcdef.0123456789abcdef";
inline constexpr char kTestSecret[] = "0123456789abcdef";  // what nobody may see

class FakeCluster {
 public:
  explicit FakeCluster(std::string release = "1.37");

  void attach(FakeHost& host);
  config::JoinConfig config() const;  // a pinned token join of node1
  std::string cluster_info() const;   // JSON of the ConfigMap, signed by `signs_with`
  int minor() const;
  // The golden cluster with another release's version, names and APIs: any minor of 1.x from 9 on.
  void pretend(int minor) { pretended_minor_ = minor; }

  // --- knobs ---
  Authority ca;
  std::string endpoint = "10.0.0.1:6443";                // whose URLs are answered; the rest is unreachable
  std::string server = "https://10.0.0.1:6443";          // what cluster-info names
  std::string signs_with = kTestToken, knows = kTestToken;  // who may sign, who may authenticate
  std::string ca_in_cluster_info;                        // another bundle than the CA alone
  enum class Decision { issued, pending, denied, failed } decision = Decision::issued;
  Authority::Wish certificate;                           // what is issued
  const Authority* issuer = nullptr;                     // instead of `ca`
  std::string foreign_request;                           // what the CSR of our name holds, PEM, instead of ours
  bool kubelet_registers = true, node_is_ready = false;
  bool node_exists_ready = false;                        // before the join
  std::map<std::string, std::deque<FakeHost::Answer>> instead;  // the last of a queue repeats

  // --- what came about ---
  std::map<std::string, std::string> csrs;  // name -> request, base64 of PEM
  int kubelet_starts = 0;
  std::vector<std::string> patches;
  std::set<std::string> violations;  // a secret where none may be, a request without one where it must be

 private:
  FakeHost::Answer answer(const HttpRequest& request);
  FakeHost::Answer api(const HttpRequest& request, const std::string& path);
  std::string csr_json(const std::string& name, Decision state) const;
  std::string node_json() const;
  std::string golden_file(const std::string& name) const;

  std::string release_;
  int pretended_minor_ = 0;
  FakeHost* host_ = nullptr;
};

// What a run leaves for people: everything that it printed.
struct ToldJoin {
  report::JoinResult result;
  std::string printed;  // stdout and stderr
};
ToldJoin join(FakeHost& host, const config::JoinConfig& config, bool resumable = false);

}  // namespace kubejoin
