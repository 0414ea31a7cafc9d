// Secret: a string that cannot be printed, compared carelessly or forgotten in memory.
#pragma once

#include <string>
#include <string_view>

namespace kubejoin {

// Not formattable and not streamable on purpose; `expose()` is the one way out and is what a reviewer searches for.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value);
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  // The bytes. The view dies with the Secret.
  std::string_view expose() const { return value_; }
  bool empty() const { return value_.empty(); }
  // Constant time in the length of the longer.
  friend bool operator==(const Secret& a, const Secret& b);

 private:
  std::string value_;
};

// Overwrites what a string held (OPENSSL_cleanse), then empties it.
void wipe(std::string& text);

// Every bootstrap token in `text` ([a-z0-9]{6}\.[a-z0-9]{16}, not inside a longer run of such characters) with its
// secret half replaced by "…": for anything that came from outside and will be shown.
std::string without_tokens(std::string_view text);

}  // namespace kubejoin
