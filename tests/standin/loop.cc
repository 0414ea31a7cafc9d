// poll(2) over a map: a handful of descriptors, never thousands.
#include "loop.h"

#include <vector>

namespace kubejoin::standin {

using Clock = std::chrono::steady_clock;

void Loop::watch(int fd, short events, std::function<void(short)> ready) { watchers_[fd] = {events, std::move(ready)}; }

void Loop::forget(int fd) { watchers_.erase(fd); }

void Loop::after(std::chrono::milliseconds delay, std::function<void()> what) {
  timers_.emplace(Clock::now() + delay, std::move(what));
}

void Loop::run() {
  while (running_) {
    run_timers();
    poll_once();
  }
}

void Loop::run_timers() {
  while (!timers_.empty() && timers_.begin()->first <= Clock::now()) {
    auto timer = timers_.extract(timers_.begin());
    timer.mapped()();
  }
}

void Loop::poll_once() {
  std::vector<pollfd> fds;
  for (const auto& [fd, watcher] : watchers_) fds.push_back({fd, watcher.events, 0});
  int wait = -1;
  if (!timers_.empty()) {
    const auto left = timers_.begin()->first - Clock::now();
    wait = static_cast<int>(std::max<long long>(0, std::chrono::ceil<std::chrono::milliseconds>(left).count()));
  }
  if (::poll(fds.data(), fds.size(), wait) <= 0) return;
  for (const pollfd& fd : fds) {
    if (fd.revents == 0) continue;
    const auto watcher = watchers_.find(fd.fd);
    if (watcher == watchers_.end()) continue;  // an earlier one of this round forgot it
    const auto ready = watcher->second.ready;  // a copy: it may replace itself
    ready(fd.revents);
  }
}

}  // namespace kubejoin::standin
