// A file descriptor with an owner.
#pragma once

#include <unistd.h>

#include <utility>

namespace kubejoin {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      (void)close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() { (void)close(); }

  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  // 0, or -1 with errno set; may be called again.
  int close() { return fd_ >= 0 ? ::close(std::exchange(fd_, -1)) : 0; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

}  // namespace kubejoin
