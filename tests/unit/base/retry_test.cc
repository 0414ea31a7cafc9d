// Retries: full jitter, Retry-After, deadlines, signals.
#include "base/retry.h"

#include "../fake_host.h"
#include "../test.h"
#include "base/text.h"

using namespace kubejoin;

namespace {

Result<int> unavailable() { return fail(Kind::unavailable, "test.away", "nobody is there"); }

}  // namespace

TEST_CASE("delays are drawn from zero to a ceiling that doubles up to the cap") {
  FakeHost host;
  const RetryPolicy policy{.deadline = host.monotonic() + Millis(3'600'000)};
  const Error error{.kind = Kind::unavailable};
  const std::pair<int, int> ceilings[] = {{1, 200},  {2, 400},  {3, 800},  {4, 1600},
                                          {5, 3200}, {6, 5000}, {7, 5000}, {1000, 5000}};
  for (const auto& row : ceilings) {
    const int attempt = row.first, ceiling = row.second;
    CAPTURE(attempt);
    Millis least = Millis::max(), most{0};
    for (int i = 0; i < 500; ++i) {
      const auto delay = next_delay(host, policy, attempt, error);
      REQUIRE(delay);
      least = std::min(least, *delay);
      most = std::max(most, *delay);
    }
    CHECK(least >= Millis(0));
    CHECK(least < Millis(ceiling / 10));  // "full": near nothing is as likely as the ceiling
    CHECK(most <= Millis(ceiling));
    CHECK(most > Millis(ceiling * 9 / 10));
  }
}

TEST_CASE("Retry-After comes first, bounded, the jitter on top") {
  FakeHost host;
  const RetryPolicy policy{.deadline = host.monotonic() + Millis(3'600'000)};
  for (int i = 0; i < 100; ++i) {
    const auto asked = next_delay(host, policy, 1, {.retry_after = Millis(7'000)}),
               absurd = next_delay(host, policy, 1, {.retry_after = Millis(999'999'999)}),
               negative = next_delay(host, policy, 1, {.retry_after = Millis(-5)});
    CHECK((asked >= Millis(7'000) && asked <= Millis(7'200)));
    CHECK((absurd >= Millis(60'000) && absurd <= Millis(60'200)));
    CHECK((negative >= Millis(0) && negative <= Millis(200)));
  }
}

TEST_CASE("a delay beyond the deadline is cut to a last attempt before it; there is none at it, nor after a signal") {
  FakeHost host;
  CHECK(!next_delay(host, {.deadline = host.monotonic()}, 1, {}));
  const auto cut = next_delay(host, {.deadline = host.monotonic() + Millis(6'999)}, 1, {.retry_after = Millis(7'000)});
  REQUIRE(cut);
  CHECK((*cut >= Millis(5'999) && *cut <= Millis(6'799)));
  const Instant soon = host.monotonic() + Millis(150);  // too little for an attempt: what is left is waited for
  CHECK(!next_delay(host, {.deadline = soon}, 1, {.retry_after = Millis(7'000)}));
  CHECK(host.monotonic() == soon);
  host.is_terminating = true;
  CHECK(!next_delay(host, {.deadline = host.monotonic() + Millis(60'000)}, 1, {}));
}

TEST_CASE("a signal while there is a retry is told as one, with what went wrong last") {
  FakeHost host;
  const auto result = retry<int>(host, {.deadline = host.monotonic() + Millis(60'000)}, [&]() -> Result<int> {
    host.is_terminating = true;
    return unavailable();
  });
  REQUIRE(!result);
  CHECK(result.error().id == "signal.terminated");
  CHECK(result.error().message == "interrupted by a signal; the last attempt: " + unavailable().error().message);
}

TEST_CASE("retry goes on until it succeeds, and tells of every wait") {
  FakeHost host;
  int calls = 0;
  std::vector<int> heard;
  const auto result = retry<int>(
      host, {.deadline = host.monotonic() + Millis(60'000)},
      [&]() -> Result<int> { return ++calls < 4 ? unavailable() : Result<int>(42); },
      [&](const RetryEvent& event) {
        heard.push_back(event.attempt);
        CHECK(event.error.id == "test.away");
      });
  CHECK(result == 42);
  CHECK(heard == std::vector<int>{1, 2, 3});
  CHECK(host.count_touches("sleep") == 3);
}

TEST_CASE("an error that is not the other side's absence ends it at once, unchanged") {
  for (const Kind kind :
       {Kind::untrusted, Kind::refused, Kind::invalid, Kind::unfit, Kind::machine, Kind::usage, Kind::internal}) {
    FakeHost host;
    int calls = 0;
    const auto result = retry<int>(host, {.deadline = host.monotonic() + Millis(60'000)},
                                   [&]() -> Result<int> { return ++calls, fail(kind, "test.end", "it is over"); });
    CHECK(calls == 1);
    CHECK(result.error().message == "it is over");
  }
}

TEST_CASE("an attempt that the deadline cut short says less than the one before it; one that had its time does not") {
  for (const bool is_cut : {true, false}) {
    FakeHost host;
    const Instant deadline = host.monotonic() + Millis(5'000);
    const auto result = retry<int>(host, {.deadline = deadline}, [&]() -> Result<int> {
      if (deadline - host.monotonic() > Millis(is_cut ? 1'500 : 4'999)) return unavailable();
      host.advance(std::chrono::ceil<Millis>(deadline - host.monotonic()));
      return fail(Kind::unavailable, "http.timeout", "silence");
    });
    REQUIRE(!result);
    CHECK(result.error().id == (is_cut ? "test.away" : "http.timeout"));
  }
}

TEST_CASE("at the deadline the last error says how long it was tried, and no sleep went beyond") {
  FakeHost host;
  const Instant start = host.monotonic(), deadline = start + Millis(30'000);
  int calls = 0;
  const auto result = retry<int>(host, {.deadline = deadline}, [&] { return ++calls, unavailable(); });
  CHECK(host.monotonic() == deadline);
  CHECK(calls > 5);
  CHECK(result.error().message == "nobody is there (after " + std::to_string(calls) + " attempts in " +
                                      format_duration(std::chrono::duration_cast<Millis>(host.monotonic() - start)) +
                                      ")");
  const auto once = retry<int>(host, {.deadline = host.monotonic()}, unavailable);
  CHECK(once.error().message == "nobody is there");
}
