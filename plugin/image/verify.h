// Verify: proves at bake time that an image carries nothing of the machine that built it, and has all that a node needs.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "image/traces.h"

namespace kubejoin::image {

// What a check of the machine saw: findings, or why it could not look; a word about what is there; and what is no fault but every clone has.
struct Seen {
  std::vector<Finding> findings{};
  std::vector<Finding> notes{};
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

// What is left as it is, and named (left.cc): only the owner of the image knows whether it is meant.
Seen cluster_network(Image& image);
Seen proxies(Image& image);
Seen logins(Image& image);
Seen bound_state(Image& image);

struct CheckResult {
  enum class Verdict { ok, failed, skipped } verdict = Verdict::ok;
  std::string name, sentence, note, hint;
  std::vector<Finding> findings;
  std::vector<Finding> notes{};  // what is left as it is; JSON has them in `note`
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
