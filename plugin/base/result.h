// Result and Error: how every fallible function answers, and what a caller should do about it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

namespace kubejoin {

// What the caller should do, after Abseil's status codes: the kind decides about retries and the exit status.
enum class Kind {
  unavailable,  // retry: the other side is not there, or not yet
  untrusted,    // never retry: what answered could not be proven to be our cluster
  refused,      // credentials were turned down: read the token again, then fail
  invalid,      // the user's document is wrong: mend it
  unfit,        // the machine is not fit to be a node: mend it
  machine,      // an operation on this machine failed
  usage,        // the command line is wrong
  internal,     // a defect of kubejoin
};

// The sysexits(3) number of a kind. Frozen: scripts depend on it.
int exit_status(Kind kind);
std::string_view name_of(Kind kind);
std::string_view usual_hint(Kind kind);  // what to do next when an error of this kind knows nothing better

// Where in the user's own text something stands. Lines and columns count from 1; 0 is "unknown".
struct Place {
  std::string file{};  // path or URI as the user would recognise it
  std::string part{};  // inside an envelope: "part 2", "write_files[0]"; empty otherwise
  int line = 0;
  int column = 0;
  std::string text{};  // the offending line, empty when it holds a secret
};

struct Error {
  Kind kind = Kind::internal;
  std::string id{};       // stable: "discovery.pin-mismatch"; tests and scripts depend on it
  std::string message{};  // one sentence without a full stop: "unable to X: Y"
  std::string hint{};     // what to type or change next; may be empty
  Place place{};
  std::vector<std::string> causes{};                       // outermost first
  std::optional<std::chrono::milliseconds> retry_after{};  // what the server asked for
  const char* born_file = "";                              // in our source
  int born_line = 0;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

// The birth of an error. `file` and `line` are filled by the compiler.
inline tl::unexpected<Error> fail(Kind kind, std::string_view id, std::string message, std::string hint = {},
                                  const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  Error e;
  e.kind = kind;
  e.id = std::string(id);
  e.message = std::move(message);
  e.hint = std::move(hint);
  e.born_file = file;
  e.born_line = line;
  return tl::unexpected<Error>(std::move(e));
}

// The same error one level up: "unable to `doing`: <message>"; kind, id and hint stay.
tl::unexpected<Error> within(std::string_view doing, Error error);

}  // namespace kubejoin

#define KJ_CONCAT_(a, b) a##b
#define KJ_CONCAT(a, b) KJ_CONCAT_(a, b)
// TRY(auto x, f()): x is f()'s value, or the function returns f()'s error.
#define TRY(decl, ...) KJ_TRY_(KJ_CONCAT(kj_try_, __COUNTER__), decl, __VA_ARGS__)
#define KJ_TRY_(result, decl, ...)                                                  \
  auto result = (__VA_ARGS__);                                                      \
  if (!result) return tl::unexpected<::kubejoin::Error>(std::move(result).error()); \
  decl = std::move(*result)
// CHECK_OK(f()): f() is a Status; its error is returned.
#define CHECK_OK(...) KJ_CHECK_OK_(KJ_CONCAT(kj_status_, __COUNTER__), __VA_ARGS__)
#define KJ_CHECK_OK_(status, ...)                                                                                  \
  do {                                                                                                             \
    if (auto status = (__VA_ARGS__); !status) return tl::unexpected<::kubejoin::Error>(std::move(status).error()); \
  } while (false)
