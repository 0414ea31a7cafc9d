// Phase: one step of the join as a value; the plan is a table of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/host.h"

namespace kubejoin::plan {

struct JoinState;
class Observer;

// What is known at a point of the join. A phase needs some facts and gives others; a table in which a phase stands before the one
// that gives what it needs does not compile (see is_ordered and join_plan.h).
enum Fact : std::uint32_t {
  kNothing = 0,
  kFit = 1U << 0,            // the machine may become a node
  kTrust = 1U << 1,          // the cluster's CA is proven, a verified connection is open
  kCluster = 1U << 2,        // the cluster's configuration is read, the node's name is free
  kIdentity = 1U << 3,       // the node's certificate is issued and checked (or left to the kubelet)
  kKubeletFiles = 1U << 4,   // everything that the kubelet reads is on disk
  kKubeletRuns = 1U << 5,    // the service was started
  kNode = 1U << 6,           // the Node is as far as the user wants to wait
};
using Facts = std::uint32_t;

// For people: "the node's certificate".
constexpr std::string_view name_of(Fact fact) {
  switch (fact) {
    case kTrust: return "a proven cluster";
    case kCluster: return "the cluster's configuration";
    case kIdentity: return "the node's certificate";
    case kKubeletFiles: return "the files that the kubelet reads";
    case kKubeletRuns: return "a running kubelet";
    case kNode: return "the Node";
    case kFit: case kNothing: break;
  }
  return "a fit machine";
}

// What every phase gets. Phases change the state, touch the world through `host`, and tell people through `observer`.
struct Context {
  Host& host;
  JoinState& state;
  Observer& observer;
  // Of what is going on: no request and no wait goes beyond it. See Limit.
  Instant deadline = Instant::max();
};

// As long as it lives, context.deadline is at most `most` from now: a phase begins with one, and a step that has its own
// limit within the phase's with another.
class Limit {
 public:
  Limit(Context& context, Millis most) : context_(context), outer_(context.deadline) {
    constexpr Millis kYear = std::chrono::hours(8760);  // a user may give more than a clock can hold
    context.deadline = std::min(outer_, context.host.monotonic() + std::min(most, kYear));
  }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;
  ~Limit() { context_.deadline = outer_; }

 private:
  Context& context_;
  const Instant outer_;
};

struct Phase {
  std::string_view name;      // ours: "discovery"
  std::string_view upstream;  // kubeadm's phase that it is a part of, or all of; empty: kubeadm does it within any phase that needs it
  std::string_view sentence;  // what it does, for people
  Facts needs;
  Facts gives;
  Status (*run)(Context&);    // converges: asks the world what is done already; may be repeated at any time
  void (*undo)(Context&);     // removes what must not outlive a failure; nullptr: nothing must
};

// True when each phase finds what it needs given by an earlier one.
template <std::size_t N>
consteval bool is_ordered(const Phase (&phases)[N], Facts given = kNothing) {
  for (const Phase& phase : phases) {
    if ((phase.needs & ~given) != 0) return false;
    given |= phase.gives;
  }
  return true;
}

// A name that is both ours and kubeadm's is of one phase alone, and that phase is all of kubeadm's.
template <std::size_t N>
consteval bool has_one_meaning(const Phase (&phases)[N]) {
  for (const Phase& ours : phases)
    for (const Phase& other : phases)
      if (&ours != &other && (ours.name == other.name || ours.name == other.upstream)) return false;
  return true;
}

// Who hears of the progress. Implemented in report/; phases never print.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void phase_started(const Phase& phase, int index, int count) = 0;
  virtual void phase_ended(const Phase& phase, Millis took, const Error* error, std::string_view skipped) = 0;  // skipped: why, or empty
  virtual void note(std::string_view text) = 0;     // a thing done: "wrote /etc/kubernetes/kubelet.conf"
  virtual void waiting(std::string_view text) = 0;  // what is being waited for; "" when the wait is over
  virtual void retrying(const Error& error, int attempt, Millis delay) = 0;
  virtual void warning(const Error& warning) = 0;
  virtual void detail(std::string_view text) = 0;   // with -v
  virtual void milestone(std::string_view name) = 0;  // a point in time for the timeline: "csr-issued"
};

}  // namespace kubejoin::plan
