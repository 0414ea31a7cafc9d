// The table of traces, then the table of checks.
#include "image/verify.h"

#include <algorithm>

#include "base/text.h"

namespace kubejoin::image {
namespace {

using Verdict = CheckResult::Verdict;

CheckResult result_of(std::string_view name, std::string_view sentence, std::vector<Finding> findings, std::string hint) {
  CheckResult result;
  result.name = name;
  result.sentence = sentence;
  result.findings = std::move(findings);
  result.verdict = result.findings.empty() ? Verdict::ok : Verdict::failed;
  if (!result.findings.empty()) result.hint = std::move(hint);
  return result;
}

CheckResult kept(std::string_view name, std::string_view sentence) {
  CheckResult result = result_of(name, sentence, {}, {});
  result.verdict = Verdict::skipped;
  result.note = "--keep " + result.name;
  return result;
}

}  // namespace

int VerifyReport::count(Verdict verdict) const {
  return static_cast<int>(std::count_if(checks.begin(), checks.end(), [&](const CheckResult& c) { return c.verdict == verdict; }));
}

VerifyReport verify(Image& image) {
  VerifyReport report{.root = image.root};
  Search search = find_traces(image);
  report.files_searched = search.files_searched;
  report.unsearched = std::move(search.unsearched);
  const std::string seal = image.root == "/" ? "kubejoin seal" : "kubejoin seal --root " + image.root;
  for (const Trace& trace : traces()) {
    std::vector<Finding> own;
    for (const Finding& finding : search.findings)
      if (finding.check == trace.name) own.push_back(finding);
    if (image.keeps(trace.name)) {
      report.checks.push_back(kept(trace.name, trace.sentence));
      continue;
    }
    CheckResult result = result_of(trace.name, trace.sentence, std::move(own), seal);
    if (!result.findings.empty()) result.note = std::string(name_of(trace.sort)) + (trace.anew.empty() ? "" : ", made anew by " + std::string(trace.anew));
    report.checks.push_back(std::move(result));
  }
  std::vector<Finding> unreadable;
  for (const Error& problem : search.problems) unreadable.push_back({.check = "readable", .what = problem.message});
  report.checks.push_back(result_of("readable", "every place could be looked into", std::move(unreadable), "run kubejoin verify as root"));
  for (const Check& check : checks()) {
    if (image.keeps(check.name)) {
      report.checks.push_back(kept(check.name, check.sentence));
      continue;
    }
    Seen seen = check.run(image);
    for (auto* list : {&seen.findings, &seen.notes}) std::erase_if(*list, [&](const Finding& finding) { return image.keeps(check.name, finding.path); });
    CheckResult result = result_of(check.name, check.sentence, std::move(seen.findings), std::string(check.hint));
    result.note = std::move(seen.note);
    result.notes = std::move(seen.notes);
    if (!seen.skipped.empty() && result.verdict == Verdict::ok) {
      result.verdict = Verdict::skipped;
      result.note = std::move(seen.skipped);
    }
    report.checks.push_back(std::move(result));
  }
  return report;
}

}  // namespace kubejoin::image
