// What every unit test uses: doctest, words for failed Results, a folder that goes away.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "base/result.h"

namespace kubejoin {

// "ok", or the error's id and message: CHECK(outcome(f()) == "ok") tells why when it is not.
template <class T>
std::string outcome(const Result<T>& result) {
  return result ? "ok" : result.error().id + ": " + result.error().message;
}

// "ok" or the error's id alone: CHECK(id_of(f()) == "tls.name").
template <class T>
std::string id_of(const Result<T>& result) {
  return result ? "ok" : result.error().id;
}

// A new folder below /tmp; removed with all it holds at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace kubejoin
