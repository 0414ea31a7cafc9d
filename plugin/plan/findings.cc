// Findings of preflight, told together.
#include "plan/findings.h"

#include "plan/phase.h"

namespace kubejoin::plan {

Status settle(Context& context, std::vector<Finding> findings, int minor) {
  std::vector<Error> fatal;
  for (Finding& finding : findings) {
    const bool matters = minor == 0 ? finding.until == kNever : finding.from <= minor && minor < finding.until;
    if (!matters) continue;
    if (finding.fatal) fatal.push_back(std::move(finding.error));
    else context.observer.warning(finding.error);
  }
  if (fatal.empty()) return {};
  Error all = fatal.front();
  if (fatal.size() > 1) {
    all.id = "preflight.failed";
    all.message = "some fatal errors occurred";
    all.hint = "mend them, or pass --ignore-preflight-errors=... to make a check non-fatal";
  }
  for (const Error& one : fatal)
    all.causes.push_back("[ERROR " + one.id.substr(sizeof("preflight.") - 1) + "]: " + one.message + (one.hint.empty() ? "" : " (" + one.hint + ")"));
  return tl::unexpected(std::move(all));
}

}  // namespace kubejoin::plan
