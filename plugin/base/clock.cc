// The Date header for a clock that cannot be trusted, and the wait for one that can.
#include "base/clock.h"

#include <algorithm>

#include "base/text.h"

namespace kubejoin::clock {
namespace {

constexpr Millis kUnnoticed{2'000};  // a Date has whole seconds, and took a moment to come

// The Date of a server whose certificate was turned down. It hears no more than that somebody is there: neither path nor query, in which
// a secret may stand.
std::optional<Millis> ask_behind(Host& host, const std::string& url, Instant deadline) {
  HttpRequest request;
  request.method = "HEAD";
  request.deadline = deadline;
  request.url = url.substr(0, url.find_first_of("/?#", url.find("://") + 3)) + "/";
  const auto answer = host.open_http({.trust = HttpOptions::Trust::pending})->run_one(std::move(request));
  return answer ? behind(host, *answer) : std::nullopt;
}

}  // namespace

std::optional<Millis> behind(Host& host, const HttpResponse& answer) {
  const auto date = answer.headers.find("date");
  if (date == answer.headers.end()) return std::nullopt;
  const auto theirs = parse_http_date(date->second);
  if (!theirs) return std::nullopt;
  return std::chrono::duration_cast<Millis>(*theirs - host.now());
}

std::string said(Millis behind) {
  constexpr std::chrono::hours kDay{24};
  const auto apart = std::chrono::round<std::chrono::seconds>(std::chrono::abs(behind));
  const std::string length = apart >= 2 * kDay ? std::to_string(apart / kDay) + " days" : format_duration(apart);
  return length + (behind > Millis{0} ? " behind" : " ahead of");
}

bool is_synchronised(Host& host) { return host.stat("/run/systemd/timesync/synchronized").has_value(); }

Millis offset(Host& host) { return std::chrono::duration_cast<Millis>(host.now().time_since_epoch() - host.monotonic().time_since_epoch()); }

Result<Millis> wait_until_set(Host& host, Millis offset, Instant deadline) {
  CHECK_OK(host.wait_for_clock(offset, deadline));
  return clock::offset(host) - offset;
}

bool is_right_now(Host& host, const std::string& url, Instant deadline, Error& error, const std::function<void(const std::string&)>& waiting) {
  if (error.id != "tls.expired" && error.id != "tls.not-yet-valid") return false;
  const Millis before = offset(host);
  const auto behind = ask_behind(host, url, deadline);
  if (!behind || std::chrono::abs(*behind) <= kUnnoticed) return false;  // it is the certificate
  const std::string what = std::move(error.message);
  if (host.monotonic() < deadline && !is_synchronised(host)) {
    // A certificate that is valid by the server's clock is so by ours as soon as that is as late.
    const bool catches_up = *behind > Millis{0} && *behind + kUnnoticed < deadline - host.monotonic();
    if (waiting) waiting("the clock to be set: it is " + said(*behind) + " the Date of " + shown_url(url));
    const auto set = wait_until_set(host, before, catches_up ? host.monotonic() + *behind + kUnnoticed : deadline);
    if (set || (catches_up && set.error().id == "wait.timeout")) return true;
    if (set.error().id != "wait.timeout") return error = set.error(), false;
  }
  error = skew(host, *behind, "the server's", what);
  return false;
}

Error skew(Host& host, Millis behind, const std::string& whose, const std::string& what) {
  const std::string text = "this machine's clock is " + said(behind) + " " + whose + " Date";
  if (is_synchronised(host))
    return fail(Kind::untrusted, "clock.skew", text + ", although it is synchronised: " + what, "set the server's clock, or find out who answers in its place").value();
  return fail(Kind::unavailable, "clock.skew", text + " and was not set in time: " + what,
              "set it, and let it be kept right: timedatectl, chronyc makestep; NTP needs UDP port 123").value();
}

}  // namespace kubejoin::clock
