// The recorded metadata services of tests/metadata, as canned answers; the same files answer at their real addresses in tests/metadata/run.sh.
#pragma once

#include <fstream>
#include <iterator>

#include "../fake_host.h"
#include "../test.h"
#include "base/text.h"
#include "source/platform.h"

namespace kubejoin {

inline std::string file_of_test(const std::string& name) {
  std::ifstream file("tests/" + name, std::ios::binary);
  REQUIRE_MESSAGE(file.good(), "unable to open tests/" << name << ": run the tests in the project's root");
  return {std::istreambuf_iterator<char>(file), {}};
}

inline FakeHost::Answer nobody_there() { return {.error = fail(Kind::unavailable, "http.unreachable", "nobody answers").value()}; }

// A minute from now, on the fake's clock.
inline Instant soon(FakeHost& host) { return host.monotonic() + Millis(60'000); }

class Recorded {
 public:
  explicit Recorded(const std::string& platform) : folder_("metadata/" + platform + "/") {
    auto read = source::read_tree(file_of_test(folder_ + "routes.json"), folder_);
    REQUIRE(outcome(read) == "ok");
    routes_ = std::move(*read);
  }

  std::string body(const std::string& name) const { return file_of_test(folder_ + name); }
  std::string address(std::size_t nth = 0) const {
    const std::string literal = routes_.find("bind")->items.at(nth).text;
    return is_ipv6(literal) ? "http://[" + literal + "]" : "http://" + literal;
  }

  // The machine on which the recording was made: its DMI, and its metadata service at `base`, silent about `except` ("GET URL").
  void play_on(FakeHost& host, const std::string& base, const std::string& except = {}) const {
    for (const auto& [field, mark, value] : routes_.find("evidence")->members) host.put("/sys/class/dmi/id/" + field, value.text + "\n");
    for (const auto& route : routes_.find("routes")->items) {
      const auto request = split(route.string_or("request", ""), ' ');
      const std::string file = route.string_or("file", "");
      const std::string key = request[0] + " " + base + request[1];
      if (key != except) host.answer(key, {.body = file.empty() ? route.string_or("body", "") : body(file)});
    }
  }
  void play_on(FakeHost& host) const { play_on(host, address()); }

  // Whether each request was sent with the headers that the service asks for.
  void check_headers(const FakeHost& host, const std::string& base) const {
    for (const auto& route : routes_.find("routes")->items) {
      const auto wanted = split(route.string_or("request", ""), ' ');
      for (const auto& request : host.requests) {
        if (request.method != wanted[0] || request.url != base + wanted[1] || route.find("headers") == nullptr) continue;
        CAPTURE(request.url);
        for (const auto& wanted_header : route.find("headers")->members) {
          CAPTURE(wanted_header.key);
          CHECK(std::find(request.headers.begin(), request.headers.end(), std::pair(wanted_header.key, wanted_header.value.text)) !=
                request.headers.end());
        }
      }
    }
  }

 private:
  std::string folder_;
  parse::Value routes_;
};

}  // namespace kubejoin
