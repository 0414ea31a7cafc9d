// Secrets leave no copy behind: moves, assignments and destruction wipe what they give up.
#include "base/secret.h"

#include <openssl/crypto.h>

#include <algorithm>

namespace kubejoin {

namespace {

bool is_token_char(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool all_token_chars(std::string_view text) { return std::all_of(text.begin(), text.end(), is_token_char); }

}  // namespace

// Short strings live inside the object, so moving one leaves its bytes where they were: hence the wipe of the source.
Secret::Secret(std::string value) : value_(std::move(value)) { wipe(value); }
Secret::Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { wipe(other.value_); }

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    wipe(value_);
    value_ = other.value_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe(value_);
    value_ = std::move(other.value_);
    wipe(other.value_);
  }
  return *this;
}

Secret::~Secret() { wipe(value_); }

bool operator==(const Secret& a, const Secret& b) {
  const std::size_t longer = std::max(a.value_.size(), b.value_.size());
  volatile unsigned char difference = a.value_.size() == b.value_.size() ? 0 : 1;
  for (std::size_t i = 0; i < longer; ++i) {
    const char x = i < a.value_.size() ? a.value_[i] : '\0';
    const char y = i < b.value_.size() ? b.value_[i] : '\0';
    difference = static_cast<unsigned char>(difference | (x ^ y));
  }
  return difference == 0;
}

void wipe(std::string& text) {
  text.resize(text.capacity());  // what an earlier, longer value left behind goes too
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

std::string without_tokens(std::string_view text) {
  constexpr std::size_t kIdSize = 6, kSecretSize = 16;
  constexpr std::size_t kTokenSize = kIdSize + 1 + kSecretSize;
  std::string out;
  std::size_t copied = 0;
  for (std::size_t dot = text.find('.'); dot != text.npos; dot = text.find('.', dot + 1)) {
    if (dot < copied + kIdSize) continue;
    const std::size_t begin = dot - kIdSize;
    if (begin + kTokenSize > text.size() || !all_token_chars(text.substr(begin, kIdSize)) ||
        !all_token_chars(text.substr(dot + 1, kSecretSize)))
      continue;
    const bool starts = begin == 0 || !is_token_char(text[begin - 1]);
    const bool ends = begin + kTokenSize == text.size() || !is_token_char(text[begin + kTokenSize]);
    if (!starts || !ends) continue;
    out += text.substr(copied, dot + 1 - copied);
    out += "…";
    copied = begin + kTokenSize;
  }
  out += text.substr(copied);
  return out;
}

}  // namespace kubejoin
