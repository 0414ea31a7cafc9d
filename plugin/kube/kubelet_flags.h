// The kubelet's command line by release: which flags it has, which values it takes, how they are carried to it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kubejoin::kube {

// The kubelets whose flags are known: 1.20 to 1.38.
inline constexpr int kOldestKubelet = 20, kNewestKubelet = 38;

// Of the kubelets 1.`from` up to, and without, 1.`until`: what they would end with at once.
struct Refusal {
  int from = kOldestKubelet;
  int until = kNewestKubelet + 1;  // above: nobody knows of a kubelet that would take it again
  std::string message;             // "--network-plugin was removed in 1.24: …"
  std::string hint;
};
inline constexpr int kForGood = 1000;  // `until` of what was removed: plan::kNever

// Where --name=value stops a kubelet from starting; empty: nowhere that is known. '_' stands for '-', as for the kubelet
// (component-base/cli/flag WordSepNormalizeFunc). Values are judged where a release took one away, and nowhere else.
std::vector<Refusal> refusals_of(std::string_view name, std::string_view value);

// ---- the environment file ----

// One line "KEY="…"" and a line feed, from which systemd's $KEY gives exactly these words, one argument each
// (systemd.exec(5) EnvironmentFile=, systemd.service(5) "Command lines"). Words without white space, quotes and
// backslashes stand as kubeadm writes them (fmt's %q). Words must be carriable().
std::string environment_line(std::string_view key, std::span<const std::string> words);

// systemd drops an assignment that holds a control character but tab (env-util.c), and one line is all that is written.
bool carriable(std::string_view word);

}  // namespace kubejoin::kube
