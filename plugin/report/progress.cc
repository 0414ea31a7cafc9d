// Lines for people, kept short: one a phase, more when something waits, fails or is asked for with -v.
#include "report/progress.h"

#include <cstdio>

#include "base/text.h"
#include "report/error_text.h"

namespace kubejoin::report {
namespace {

// sd-daemon(3) priorities.
constexpr int kError = 3, kWarning = 4, kNotice = 5, kInfo = 6, kDebug = 7;

// kubeadm's prefix for what our phases say (cmd/kubeadm/app/cmd/phases/join).
std::string_view kubeadm_prefix(std::string_view phase) {
  if (phase == "preflight" || phase == "discovery" || phase == "cluster-config") return "[preflight] ";
  if (phase == "node") return "[kubelet-check] ";
  return "[kubelet-start] ";
}

// What kubeadm says of the files that tools look for in its output (cmd/kubeadm/app/phases/kubelet); it is silent about the others.
std::string_view kubeadm_line(std::string_view note) {
  if (note == "wrote /var/lib/kubelet/config.yaml") return "Writing kubelet configuration to file \"/var/lib/kubelet/config.yaml\"";
  if (note == "wrote /var/lib/kubelet/kubeadm-flags.env") return "Writing kubelet environment file with flags to file \"/var/lib/kubelet/kubeadm-flags.env\"";
  return note.rfind("wrote ", 0) == 0 ? std::string_view() : note;
}

}  // namespace

Style style_for(Host& host, bool stderr_is_terminal) {
  Style style;
  style.terminal = stderr_is_terminal;
  style.colour = stderr_is_terminal && host.environment("NO_COLOR").value_or("").empty();
  style.journald = !stderr_is_terminal && host.environment("JOURNAL_STREAM").has_value();
  return style;
}

Progress::Progress(Host& host, Style style, StatusFile* status, Instant started) : host_(host), style_(style), status_(status), started_(started) {}

void Progress::line(int priority, std::string_view mark, std::string_view text) {
  if (style_.quiet && priority > kWarning) return;
  if (style_.terminal) std::fputs("\r\033[K", stderr);
  std::string out;
  if (style_.journald) out = "<" + std::to_string(priority) + ">";
  const char* colour = !style_.colour ? nullptr : priority <= kError ? "\033[31m" : priority == kWarning ? "\033[33m" : priority == kNotice ? "\033[32m" : nullptr;
  if (!mark.empty()) out += (colour != nullptr ? colour + std::string(mark) + "\033[0m" : std::string(mark)) + " ";
  out += text;
  out += '\n';
  std::fputs(out.c_str(), stderr);
}

// systemd shows it in `systemctl status` while the unit starts (sd_notify(3)).
void Progress::notify(std::string_view text) {
  const auto socket = host_.environment("NOTIFY_SOCKET");
  if (socket && !socket->empty()) (void)host_.send_datagram(*socket, "STATUS=" + std::string(text));
}

void Progress::phase_started(const plan::Phase& phase, int index, int count) {
  phase_ = phase.name;
  waiting_.clear();
  if (status_ != nullptr) status_->phase(phase_, index, count);
  notify(phase_ + ": " + std::string(phase.sentence));
  if (style_.terminal && !style_.quiet) std::fprintf(stderr, "\r\033[K  %d/%d %s ...", index, count, phase_.c_str());
}

void Progress::phase_ended(const plan::Phase& phase, Millis took, const Error* error, std::string_view skipped) {
  if (style_.kubeadm) return;
  char head[64];
  std::snprintf(head, sizeof head, "%-15s %7s  ", std::string(phase.name).c_str(), skipped.empty() ? format_duration(took).c_str() : "skipped");
  if (error != nullptr) line(kError, "x", head + std::string("failed: ") + error->id);
  else line(kInfo, skipped.empty() ? "+" : "-", head + std::string(skipped.empty() ? phase.sentence : skipped));
}

void Progress::note(std::string_view text) {
  if (style_.kubeadm) {
    const std::string_view said = kubeadm_line(text);
    if (said.empty()) return;
    std::fprintf(stdout, "%s%.*s\n", std::string(kubeadm_prefix(phase_)).c_str(), static_cast<int>(said.size()), said.data());
    std::fflush(stdout);
  } else if (style_.verbosity > 0) {
    line(kInfo, " ", "  " + std::string(text));
  }
}

void Progress::waiting(std::string_view text) {
  if (text == waiting_) return;
  waiting_ = text;
  if (status_ != nullptr) status_->waiting(waiting_);
  if (text.empty()) return;
  notify(phase_ + ": waiting for " + waiting_);
  if (style_.terminal && !style_.quiet) std::fprintf(stderr, "\r\033[K  %s: waiting for %s ...", phase_.c_str(), waiting_.c_str());
  else if (style_.verbosity > 0 || text.starts_with("approval") || text.starts_with("the clock")) line(kInfo, " ", "  waiting for " + waiting_);  // these may need a person
}

void Progress::retrying(const Error& error, int attempt, Millis delay) {
  constexpr int kMostRecorded = 50;  // for the timeline; what comes after is counted
  if (retries_ < kMostRecorded) milestone("retry " + phase_ + " " + error.id);
  ++retries_;
  if (status_ != nullptr) status_->retrying(error);
  // The first failure is worth a line; so is every tenth, that a log shows life without drowning.
  if (attempt == 1 || attempt % 10 == 0 || style_.verbosity > 0)
    line(kWarning, "!", phase_ + ": attempt " + std::to_string(attempt) + " failed, next in " + format_duration(delay) + ": " + error.message);
}

void Progress::warning(const Error& warning) {
  warnings_.push_back(warning);
  if (style_.kubeadm && warning.id.rfind("preflight.", 0) == 0) {
    std::fprintf(stderr, "\t[WARNING %s]: %s\n", warning.id.substr(10).c_str(), warning.message.c_str());
    return;
  }
  if (style_.journald || style_.terminal) line(kWarning, "!", warning.message + " [" + warning.id + "]");
  else std::fputs(error_text(warning, "warning").c_str(), stderr);
}

void Progress::tell(bool is_failure, std::string_view text) {
  notify(text);
  line(is_failure ? kError : kNotice, {}, "kubejoin: " + std::string(text));
}

void Progress::detail(std::string_view text) {
  if (style_.verbosity > 1) line(kDebug, " ", "  " + std::string(text));
}

void Progress::milestone(std::string_view name) {
  const Instant now = host_.monotonic();
  timeline_.push_back({std::string(name), std::chrono::duration_cast<Millis>(now - started_), std::chrono::duration_cast<Millis>(now.time_since_epoch())});
}

}  // namespace kubejoin::report
