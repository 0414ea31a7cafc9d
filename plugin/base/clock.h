// This machine's clock against what another machine's says. Nothing of that is proven: it is named to people and decides how long to
// wait, and no clock is ever set by it.
#pragma once

#include <functional>

#include "base/host.h"

namespace kubejoin::clock {

// How long a boot waits for somebody to set the clock: a machine's first NTP answer comes within seconds of its network.
inline constexpr Millis kPatience{120'000};

// How far the clock is behind the Date of an answer that has just come (negative: ahead); nothing without a Date. A Date has whole seconds.
std::optional<Millis> behind(Host& host, const HttpResponse& answer);

// "3h12m0s behind", "12 days ahead of".
std::string said(Millis behind);

// Has systemd-timesyncd set the clock in this boot? Others leave no mark that a sandboxed process may read.
bool is_synchronised(Host& host);

// Waits until somebody sets the clock, or `deadline`; returns how far it was moved forward since it was `offset` ahead of the monotonic one.
Millis offset(Host& host);
Result<Millis> wait_until_set(Host& host, Millis offset, Instant deadline);

// After a request to `url` failed with `error`. True when it is worth repeating: a certificate was turned down for its dates, the server's
// Date says that the clock is to blame, and meanwhile it was set, or, where little was missing, has caught up. False: `error` is the answer;
// where the clock is to blame and nobody set it until `deadline` it has become Kind::unavailable "clock.skew", which names the skew.
bool is_right_now(Host& host, const std::string& url, Instant deadline, Error& error, const std::function<void(const std::string&)>& waiting = {});

// The skew as an error: `whose` is "the API server's". `what` is what comes of it.
Error skew(Host& host, Millis behind, const std::string& whose, const std::string& what);

}  // namespace kubejoin::clock
