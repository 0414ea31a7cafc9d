// What a JoinConfig says once its parts are put together.
#include "config/join_config.h"

#include <algorithm>

namespace kubejoin::config {

std::vector<Arg> effective_kubelet_args(const JoinConfig& config) {
  std::vector<Arg> args = config.kubelet_extra_args;
  const FirstBoot& first_boot = config.first_boot;
  if (!first_boot.labels.empty()) {
    std::string labels;
    for (const auto& [key, value] : first_boot.labels) labels += (labels.empty() ? "" : ",") + key + "=" + value;
    // The kubelet takes the last --node-labels alone, so ours go into the user's last.
    const auto last =
        std::find_if(args.rbegin(), args.rend(), [](const Arg& arg) { return arg.name == "node-labels"; });
    if (last == args.rend())
      args.push_back({"node-labels", labels});
    else
      last->value += (last->value.empty() ? "" : ",") + labels;
  }
  if (!first_boot.node_ip.empty()) args.push_back({"node-ip", first_boot.node_ip});
  if (!first_boot.provider_id.empty()) args.push_back({"provider-id", first_boot.provider_id});
  return args;
}

}  // namespace kubejoin::config
