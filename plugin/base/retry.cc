// When to try again, and what to say when there is no more trying.
#include "base/retry.h"

#include <algorithm>

#include "base/text.h"

namespace kubejoin {

namespace {

// Uniform in [0, ceiling]; the bias of the remainder is far below anything a fleet could show.
Millis draw(Host& host, Millis ceiling) {
  std::uint64_t bits = 0;
  host.random(&bits, sizeof bits);
  return Millis(static_cast<Millis::rep>(bits % (static_cast<std::uint64_t>(ceiling.count()) + 1)));
}

// What an attempt needs at least to be worth making, and by how much the last ones of a fleet are spread.
constexpr Millis kLeastChance{200}, kChanceSpread{800};
// One that had so long and heard nothing has told that there is silence.
constexpr Millis kFairAttempt{2'000};

Millis ceiling_of(const RetryPolicy& policy, int attempt) {
  Millis ceiling = policy.first;
  for (int n = 1; n < attempt && ceiling < policy.cap; ++n) ceiling *= 2;
  return std::clamp(ceiling, Millis(0), policy.cap);
}

}  // namespace

std::optional<Millis> next_delay(Host& host, const RetryPolicy& policy, int attempt, const Error& error) {
  if (host.terminating()) return std::nullopt;
  const Millis left = std::chrono::ceil<Millis>(policy.deadline - host.monotonic());
  // The jitter comes on top of Retry-After: a thousand nodes that are told "1" must not come back together.
  const Millis delay = draw(host, ceiling_of(policy, attempt)) +
                       std::clamp(error.retry_after.value_or(Millis(0)), Millis(0), policy.retry_after_cap);
  if (delay <= left - kLeastChance) return delay;
  if (left > kLeastChance) return left - std::min(kLeastChance + draw(host, kChanceSpread), left / 2);
  host.sleep_until(policy.deadline);
  return std::nullopt;
}

bool is_cut_off(const Error& error, Millis took) { return error.id == "http.timeout" && took < kFairAttempt; }

Error exhausted(Host& host, Error last, int attempts, Instant started) {
  if (host.terminating() && last.id != "signal.terminated") {
    Error ended = terminated().value();
    ended.message += "; the last attempt: " + last.message;
    return ended;
  }
  if (attempts > 1) {
    const auto spent = std::chrono::duration_cast<Millis>(host.monotonic() - started);
    last.message += " (after " + std::to_string(attempts) + " attempts in " + format_duration(spent) + ")";
  }
  return last;
}

}  // namespace kubejoin
