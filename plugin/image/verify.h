// Verify: proves at bake time that an image carries nothing of the machine that built it, and has all that a node needs.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "image/traces.h"

namespace kubejoin::image {

// What a check of the machine saw: findings, or why it could not look; and a word about what is there.
struct Seen {
  std::vector<Finding> findings{};
  std::string skipped{};
  std::string note{};
};

// A row: is the image fit to become a node? The checks of what must not be there are the rows of traces().
struct Check {
  std::string_view name;
  std::string_view sentence;
  std::string_view hint;  // what to do about a finding
  Seen (*run)(Image& image);
};
std::span<const Check> checks();

struct CheckResult {
  enum class Verdict { ok, failed, skipped } verdict = Verdict::ok;
  std::string name, sentence, note, hint;
  std::vector<Finding> findings;
};

struct VerifyReport {
  std::string root;
  std::vector<CheckResult> checks{};
  std::vector<std::string> unsearched{};  // files too large to be searched for secrets
  int files_searched = 0;
  int count(CheckResult::Verdict verdict) const;
  bool is_ok() const { return count(CheckResult::Verdict::failed) == 0; }
};

// Every check, whatever the others say. Changes nothing.
VerifyReport verify(Image& image);

std::string to_text(const VerifyReport& report);
std::string to_json(const VerifyReport& report);  // schemas/verify-v1.json

}  // namespace kubejoin::image
