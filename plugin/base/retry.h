// Retry with full jitter until a deadline; permanent errors end at once.
#pragma once

#include <functional>

#include "base/host.h"

namespace kubejoin {

// Delays are drawn from [0, min(cap, first * 2^n)] ("full jitter"), on top of what Retry-After asks (bounded by
// `retry_after_cap`). One that would pass the deadline is cut, so that a last attempt is made shortly before it.
struct RetryPolicy {
  Millis first{200};
  Millis cap{5'000};
  Millis retry_after_cap{60'000};
  Instant deadline{};
};

struct RetryEvent {
  int attempt = 1;  // the one that failed
  const Error& error;
  Millis delay{0};
};

// Calls `attempt` until it succeeds, its error is not Kind::unavailable, the deadline has come, or the host is
// terminating ("signal.terminated", which tells of the last error). An attempt has to keep the deadline itself
// (HttpRequest::deadline). The last error is returned, "(after N attempts in D)" added to the message when N > 1; one that
// is nothing but the deadline's is passed over for the one before it. `observe` hears of every wait.
template <class T>
Result<T> retry(Host& host, const RetryPolicy& policy, const std::function<Result<T>()>& attempt,
                const std::function<void(const RetryEvent&)>& observe = {});

// The next delay; or nothing, at the deadline, which has come then, or after a signal. `attempt` counts from 1.
std::optional<Millis> next_delay(Host& host, const RetryPolicy& policy, int attempt, const Error& error);
Error exhausted(Host& host, Error last, int attempts, Instant started);
// Was an attempt cut off by the deadline before it could tell anything?
bool is_cut_off(const Error& error, Millis took);

template <class T>
Result<T> retry(Host& host, const RetryPolicy& policy, const std::function<Result<T>()>& attempt,
                const std::function<void(const RetryEvent&)>& observe) {
  const Instant started = host.monotonic();
  std::optional<Error> last;
  for (int n = 1;; ++n) {
    const Instant began = host.monotonic();
    Result<T> result = attempt();
    if (result || result.error().kind != Kind::unavailable) return result;
    if (!last || !is_cut_off(result.error(), std::chrono::duration_cast<Millis>(host.monotonic() - began))) last = result.error();
    const auto delay = next_delay(host, policy, n, result.error());
    if (!delay) return tl::unexpected<Error>(exhausted(host, *std::move(last), n, started));
    if (observe) observe({n, result.error(), *delay});
    host.sleep_until(host.monotonic() + *delay);
  }
}

}  // namespace kubejoin
