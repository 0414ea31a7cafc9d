// A clock that is wrong: what is said of it, how long it is waited for, and when it is not to blame.
#include "base/clock.h"

#include "../fake_host.h"
#include "../test.h"

using namespace kubejoin;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr const char* kUrl = "https://10.0.0.1:6443/api?token=hidden";
constexpr const char* kRoot = "HEAD https://10.0.0.1:6443/";

// The fake's clock says 2026-11-24T00:00:00Z.
FakeHost::Answer dated(const std::string& time) { return {.status = 403, .headers = {{"date", "Tue, 24 Nov 2026 " + time + " GMT"}}}; }
Error turned_down(const char* id = "tls.not-yet-valid") { return fail(Kind::untrusted, id, "the server's certificate is not valid", "is the clock right?").value(); }

}  // namespace

TEST_CASE("clock: the skew against a Date, and its words") {
  FakeHost host;
  CHECK(clock::behind(host, {.headers = {{"date", "Tue, 24 Nov 2026 03:12:00 GMT"}}}) == Millis(minutes(192)));
  CHECK(clock::behind(host, {.headers = {{"date", "Mon, 23 Nov 2026 23:59:00 GMT"}}}) == Millis(minutes(-1)));
  CHECK_FALSE(clock::behind(host, {}));
  CHECK_FALSE(clock::behind(host, {.headers = {{"date", "yesterday"}}}));
  CHECK(clock::said(minutes(192) + Millis(400)) == "3h12m0s behind");
  CHECK(clock::said(-seconds(40)) == "40s ahead of");
  CHECK(clock::said(hours(24 * 365 * 6)) == "2190 days behind");
  CHECK(clock::said(-hours(49)) == "2 days ahead of");
}

TEST_CASE("clock: a certificate's dates are the clock's fault only when the server's Date says so") {
  const struct {
    const char* what;
    const char* id;                  // of the failed request
    std::optional<FakeHost::Answer> date;
    std::optional<Millis> set_in;
    bool is_synchronised;
    bool again;                      // is it worth another try?
    const char* becomes;             // the error's id
    Kind kind;
    Millis took;
  } kRows[] = {
      {"another error", "tls.name", dated("03:12:00"), {}, false, false, "tls.name", Kind::untrusted, Millis(0)},
      {"the server is of our time", "tls.expired", dated("00:00:01"), {}, false, false, "tls.expired", Kind::untrusted, Millis(0)},
      {"no Date", "tls.expired", FakeHost::Answer{.status = 403}, {}, false, false, "tls.expired", Kind::untrusted, Millis(0)},
      {"nobody answers", "tls.expired", FakeHost::Answer{.error = fail(Kind::unavailable, "http.unreachable", "no", "no").value()}, {}, false, false, "tls.expired", Kind::untrusted, Millis(0)},
      {"set in time", "tls.not-yet-valid", dated("03:12:00"), seconds(7), false, true, "", Kind::untrusted, seconds(7)},
      {"set too late", "tls.not-yet-valid", dated("03:12:00"), minutes(3), false, false, "clock.skew", Kind::unavailable, minutes(2)},
      {"never set, far ahead", "tls.expired", FakeHost::Answer{.status = 200, .headers = {{"date", "Sun, 01 Nov 2026 00:00:00 GMT"}}}, {}, false, false, "clock.skew", Kind::unavailable, minutes(2)},
      {"synchronised: it is the server", "tls.not-yet-valid", dated("03:12:00"), seconds(7), true, false, "clock.skew", Kind::untrusted, Millis(0)},
      {"so little that it catches up", "tls.not-yet-valid", dated("00:00:30"), {}, false, true, "", Kind::untrusted, seconds(32)},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.what);
    FakeHost host;
    if (row.date) host.answer(kRoot, *row.date);
    if (row.is_synchronised) host.put("/run/systemd/timesync/synchronized", "");
    host.clock_set_in = row.set_in;
    host.clock_set_by = hours(3);
    const Instant began = host.instant;
    Error error = turned_down(row.id);
    std::string waited;
    CHECK(clock::is_right_now(host, kUrl, began + clock::kPatience, error, [&](const std::string& what) { waited = what; }) == row.again);
    CHECK(std::chrono::duration_cast<Millis>(host.instant - began) == row.took);
    CHECK(waited.empty() == (row.took == Millis(0)));
    for (const HttpRequest& request : host.requests) CHECK(request.url == "https://10.0.0.1:6443/");  // no path, no query
    for (const HttpOptions& session : host.sessions) CHECK(session.trust == HttpOptions::Trust::pending);
    if (row.again) continue;
    CHECK(error.id == row.becomes);
    CHECK(error.kind == row.kind);
    CHECK_FALSE(error.hint.empty());
    CHECK(error.message.find("the server's certificate is not valid") != std::string::npos);
  }
}

TEST_CASE("clock: a wait names the skew, ends with a signal, and is not begun twice") {
  FakeHost host;
  host.answer(kRoot, dated("03:12:00"));
  Error error = turned_down();
  std::string waited;
  (void)clock::is_right_now(host, kUrl, host.instant + seconds(5), error, [&](const std::string& what) { waited = what; });
  CHECK(waited == "the clock to be set: it is 3h12m0s behind the Date of https://10.0.0.1:6443/api");
  CHECK(error.message == "this machine's clock is 3h12m0s behind the server's Date and was not set in time: the server's certificate is not valid");
  error = turned_down();
  const Instant after = host.instant;
  CHECK_FALSE(clock::is_right_now(host, kUrl, after, error));
  CHECK(error.id == "clock.skew");
  CHECK(host.instant == after);
  error = turned_down();
  host.is_terminating = true;
  CHECK_FALSE(clock::is_right_now(host, kUrl, after + seconds(5), error));
  CHECK(error.id == "signal.terminated");
}
