// The user's kubelet arguments, held against what each release's kubelet takes: what ends it at once is found before a CSR is sent.
#include "config/load.h"
#include "preflight/checks.h"

namespace kubejoin::preflight {

std::vector<Check> argument_checks(const config::JoinConfig& config) {
  std::vector<Check> checks;
  for (const config::Arg& arg : config::effective_kubelet_args(config))
    for (kube::Refusal& refusal : kube::refusals_of(arg.name, arg.value)) {
      Check check{"KubeletArguments", [message = std::move(refusal.message), hint = std::move(refusal.hint)](Host&, Findings& findings) {
                    findings.errors.push_back(fail(Kind::unfit, "preflight", message, hint).value());
                  }};
      check.from = refusal.from;
      check.until = refusal.until;
      checks.push_back(std::move(check));
    }
  return checks;
}

}  // namespace kubejoin::preflight
