// Loop: one thread that waits for descriptors and timers; everything of the stand-in happens in it, so nothing is
// locked.
#pragma once

#include <chrono>
#include <functional>
#include <map>

#include <poll.h>

namespace kubejoin::standin {

class Loop {
 public:
  // `ready` is called with poll(2)'s revents. A descriptor has one watcher; the newest counts. The caller closes it,
  // after forget().
  void watch(int fd, short events, std::function<void(short)> ready);
  void forget(int fd);
  void after(std::chrono::milliseconds delay, std::function<void()> what);

  // Until stop().
  void run();
  void stop() { running_ = false; }

 private:
  struct Watcher {
    short events;
    std::function<void(short)> ready;
  };
  void poll_once();
  void run_timers();

  std::map<int, Watcher> watchers_;
  std::multimap<std::chrono::steady_clock::time_point, std::function<void()>> timers_;
  bool running_ = true;
};

}  // namespace kubejoin::standin
