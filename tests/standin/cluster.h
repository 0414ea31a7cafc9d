// Cluster: the calls of a join, answered as kube-apiserver and kube-controller-manager answer them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "behaviour.h"
#include "json.h"
#include "loop.h"

namespace kubejoin::standin {

class Cluster {
 public:
  Cluster(Loop& loop, const World& world, const Behaviour& behaviour, std::function<void(const std::string&)> log);

  // An API request, and one for the kubelet's health.
  void serve(const std::shared_ptr<Exchange>& exchange);
  void serve_health(const std::shared_ptr<Exchange>& exchange);

 private:
  struct Target {  // of a request
    std::string resource, name_space, name, subresource;
    std::string verb;  // get, list, watch, create, patch
    std::string api_version;
  };
  struct Event {
    std::uint64_t version;
    std::string resource, name, type, object;
  };
  struct Watch {
    std::shared_ptr<Exchange> exchange;
    std::string resource, name;
    bool breaks = false;
  };

  User user_of(const Exchange& exchange) const;
  static Target target_of(const Request& request);
  bool may(const User& user, const Target& target) const;
  std::optional<Answer> dispatch(const std::shared_ptr<Exchange>& exchange,
                                 const User& user);  // nothing: it is a watch
  void deliver(const std::shared_ptr<Exchange>& exchange, const User& user, Answer answer);
  void log_call(const Exchange& exchange, const User& user, int status);
  void send_slowly(const std::shared_ptr<Exchange>& exchange, std::string body);

  Answer config_map(const Target& target) const;
  Answer cluster_info() const;
  std::string kubeconfig() const;  // of cluster-info; /discovery.conf serves it by itself, for discovery by URL
  Answer get(const Target& target) const;
  Answer list(const Target& target, const Request& request) const;
  void watch(const std::shared_ptr<Exchange>& exchange, const User& user, const Target& target);
  Answer create_csr(const User& user, const Target& target, const std::string& body);
  Answer create_node(const User& user, const std::string& body);
  Answer patch_node(const Target& target, const std::string& body);

  // The controllers.
  void decide(const std::string& csr);
  void issue(const std::string& csr);
  void add_condition(const std::string& csr, const char* type, const char* reason, const char* message);
  void add_node(const std::string& name, bool ready);
  void make_ready(const std::string& name);

  void put(const std::string& resource, const std::string& name, Json object, const char* event);
  void remove(const std::string& resource, const std::string& name);
  void publish(const std::string& resource, const std::string& name, const char* type, const std::string& object);
  Json* find(const std::string& resource, const std::string& name);
  const Json* find(const std::string& resource, const std::string& name) const;
  static void send_event(Watch& watch, const Event& event);

  Loop& loop_;
  const World& world_;
  const Behaviour& behaviour_;
  std::function<void(const std::string&)> log_;
  std::map<std::string, std::map<std::string, Json>> objects_;  // by resource, by name
  std::vector<Event> history_;
  std::vector<Watch> watches_;
  std::vector<std::shared_ptr<Exchange>> unanswered_;
  std::uint64_t version_ = 1000;
  int csr_watches_ = 0;
};

}  // namespace kubejoin::standin
