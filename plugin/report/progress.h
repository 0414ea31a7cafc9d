// Progress: hears the runner and the phases, tells people on stderr, keeps the timeline and the live status file.
#pragma once

#include <string>
#include <vector>

#include "plan/phase.h"
#include "report/result_file.h"

namespace kubejoin::report {

// How the lines look. `terminal`: the current wait is shown in place; otherwise plain lines. `journald`: lines begin with <N> (sd-daemon(3)).
// `kubeadm`: notes are kubeadm's "[phase] text" on stdout, for tools that grep.
struct Style {
  bool terminal = false;
  bool journald = false;
  bool colour = false;
  bool kubeadm = false;
  bool quiet = false;
  int verbosity = 0;
};
// stderr is a terminal? NO_COLOR? JOURNAL_STREAM?
Style style_for(Host& host, bool stderr_is_terminal);

struct Milestone {
  std::string name;
  Millis at{0};         // since the start of the run
  Millis monotonic{0};  // CLOCK_MONOTONIC: comparable with systemd's timestamps
};

class Progress : public plan::Observer {
 public:
  // `started`: when the run began, which is before the first phase where a source had to be asked.
  Progress(Host& host, Style style, StatusFile* status, Instant started);
  void phase_started(const plan::Phase& phase, int index, int count) override;
  void phase_ended(const plan::Phase& phase, Millis took, const Error* error, std::string_view skipped) override;
  void note(std::string_view text) override;
  void waiting(std::string_view text) override;
  void retrying(const Error& error, int attempt, Millis delay) override;
  void warning(const Error& warning) override;
  void detail(std::string_view text) override;
  void milestone(std::string_view name) override;

  // A line of the run's own, and what systemd shows of it from now on.
  void tell(bool is_failure, std::string_view text);

  const std::vector<Milestone>& timeline() const { return timeline_; }
  const std::vector<Error>& warnings() const { return warnings_; }
  int retries() const { return retries_; }
  Instant started() const { return started_; }

 private:
  void line(int priority, std::string_view mark, std::string_view text);
  void notify(std::string_view text);

  Host& host_;
  Style style_;
  StatusFile* status_;
  Instant started_;
  std::string phase_;
  std::string waiting_;
  std::vector<Milestone> timeline_;
  std::vector<Error> warnings_;
  int retries_ = 0;
};

}  // namespace kubejoin::report
