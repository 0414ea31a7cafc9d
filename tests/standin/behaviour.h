// Behaviour: everything that a fault may change, with the healthy values; faults.cc fills it, cluster.cc and main.cc
// obey it.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "exchange.h"
#include "pki.h"
#include "release.h"

namespace kubejoin::standin {

using Millis = std::chrono::milliseconds;

// What a stand-in is, beside its faults.
struct World {
  const Release* release = nullptr;
  Pair ca, other_ca;  // the other one belongs to nobody whom a joiner should believe
  std::string token_id, token_secret;
  std::string token() const { return token_id + "." + token_secret; }
  std::string endpoint;  // "127.0.0.1:PORT"
  int healthz_port = 10248;
  std::string state;  // folder
};

struct User {
  std::string name = "system:anonymous";
  enum class Kind {
    anonymous,
    bootstrap,
    node,
    unknown
  } kind = Kind::anonymous;  // unknown: credentials that are not ours
};

struct Call {
  const Request& request;
  const User& user;
};

struct Answer {
  int status = 200;
  std::string body{};
  Headers headers{{"Content-Type", "application/json"}};
  enum class Delivery { whole, slow, truncated, never, dropped } delivery = Delivery::whole;
  bool last = false;  // of its connection
};

struct Behaviour {
  // --- connections ---
  int reset_first = 0;
  bool never_handshake = false;
  bool http2 = true;
  enum class Shown { good, wrong_ca, wrong_name, expired, not_yet_valid, self_signed };
  Shown shown = Shown::good, shown_later = Shown::good;  // by the first connection, by the others

  // --- any answer: `instead` may give one before the cluster hears of the call, `after` changes the cluster's ---
  std::vector<std::function<std::optional<Answer>(const Call&)>> instead;
  std::vector<std::function<void(const Call&, Answer&)>> after;
  std::chrono::seconds date_skew{0};

  // --- cluster-info ---
  std::function<std::string(const World&)> ca_bundle = [](const World& w) { return w.ca.pem(); };
  std::string server;  // "" is https://endpoint
  std::function<void(std::string& kubeconfig)> before_signing = [](std::string&) {};
  std::function<void(std::map<std::string, std::string>& data)> after_signing = [](auto&) {};

  // --- the rest of the cluster ---
  std::string kubernetes_version;  // "" is the release's
  bool node_restriction = true;

  // --- certificate signing requests ---
  enum class Verdict { issue, none, approve, deny, fail, remove, replace };
  Verdict verdict = Verdict::issue;
  Millis verdict_after{0};
  bool wrong_key = false, wrong_subject = false, by_other_ca = false, garbage = false, foreign_request = false;
  Validity certificate;
  Powers powers;
  int watches_that_end = 0, watches_that_break = 0, watches_that_expire = 0;

  // --- container runtime ---
  bool cri_v1 = true;  // else runtime.v1alpha2 alone
  bool runtime_ready = true, network_ready = true;
  bool runtime_config = true;        // it has the method; else, as containerd before 2.0, only a Status that tells all
  bool systemd_cgroup = false;       // its cgroup driver is systemd's, not cgroupfs

  // --- nodes ---
  bool kubelet_healthy = true;
  bool node_exists = false, existing_node_ready = false;
  bool node_registers = true, node_gets_ready = true;
  Millis ready_after{0};
};

// "METHOD path?query" of the call contains it.
bool concerns(const Call& call, const std::string& part);

// A Status object of the API (apimachinery meta/v1). `details` is JSON or empty.
Answer status_answer(int code, const std::string& reason, const std::string& message, const std::string& details = {});

}  // namespace kubejoin::standin
