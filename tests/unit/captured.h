// What code under test prints.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace kubejoin {

// Takes stdout and stderr, in the order in which they were written to, until text() is called or it goes away.
class Captured {
 public:
  Captured() {
    std::fflush(stdout);
    std::fflush(stderr);
    for (int fd : {1, 2}) {
      saved_[fd - 1] = ::fcntl(fd, F_DUPFD_CLOEXEC, 10);
      ::dup2(::fileno(file_), fd);
    }
  }
  ~Captured() {
    restore();
    std::fclose(file_);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  std::string text() {
    restore();
    std::string all;
    char buffer[4096];
    std::rewind(file_);
    for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, file_)) > 0;) all.append(buffer, n);
    return all;
  }

 private:
  void restore() {
    std::fflush(stdout);
    std::fflush(stderr);
    for (int fd : {1, 2}) {
      if (saved_[fd - 1] < 0) continue;
      ::dup2(saved_[fd - 1], fd);
      ::close(saved_[fd - 1]);
      saved_[fd - 1] = -1;
    }
  }
  std::FILE* file_ = std::tmpfile();
  int saved_[2] = {-1, -1};
};

}  // namespace kubejoin
