// The timeline from power-on to Ready: systemd's own timestamps and the result of the join, on one axis; told as text, JSON or a picture.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/host.h"

namespace kubejoin::report {

// A stretch of time. `group` is what it is a part of: "boot" (firmware, loader, kernel, initrd, userspace), "unit" (a unit's start),
// "join" (a phase) or "wait" (a part of a phase: until the CSR is decided, the Node registered, the Node Ready).
struct Span {
  std::string name;
  std::string group;
  Millis start{0}, end{0};  // since power-on (or since what `origin` says)
  Millis took() const { return end - start; }
};

struct Moment {
  std::string name;
  Millis at{0};
};

struct Retry {
  std::string phase, error;
  Millis at{0};
};

struct Timeline {
  std::string state, node_name;       // of the join; empty without a result
  std::string origin;                 // "power-on", "userspace" (a container: its kernel is another's) or "join" (no timestamps of this boot)
  Millis total{0};
  std::vector<Span> spans;            // by start
  std::vector<Moment> moments;        // network-online, registered, ready
  std::vector<Retry> retries;
  int retry_count = 0;
  std::vector<std::string> missing;   // what is not known, and why
  std::vector<const Span*> largest(std::size_t most) const;  // consumers: no span that is the sum of others
};

// Asks systemd (systemctl show, which it runs) and reads result.json, or the last one. What is not there is told in `missing`; with neither
// it is Kind::unavailable "analyze.nothing".
Result<Timeline> read_timeline(Host& host);

std::string to_text(const Timeline& timeline);
std::string to_json(const Timeline& timeline);  // schemas/timeline-v1.json
std::string to_svg(const Timeline& timeline);   // one file, no script, no font, no other address

}  // namespace kubejoin::report
