// The container runtime, asked over its own socket: no crictl, no child process.
#include "base/text.h"
#include "preflight/checks.h"

namespace kubejoin::preflight {

Status check_runtime(Host& host, const std::string& cri_socket) {
  const std::string path = cri_socket.substr(cri_socket.rfind("unix://", 0) == 0 ? 7 : 0);
  const std::string hint = "start it (systemctl start containerd), or name the right socket: --cri-socket";
  if (!host.stat(path)) return fail(Kind::unfit, "preflight.CRI", "container runtime is not running: " + quoted(path) + " does not exist", hint);
  for (const std::string_view service : kube::kCriServices) {
    // A connection for each: servers differ in what they do to one on which they have just refused a service.
    HttpOptions options;
    options.unix_socket = path;
    options.h2c = true;
    options.use_proxy = false;
    auto answer = host.open_http(std::move(options))->run_one(kube::cri_status_request(service));
    if (!answer) return fail(Kind::unfit, "preflight.CRI", "container runtime is not running: " + answer.error().message, hint);
    const auto status = kube::parse_cri_status(*answer);
    if (!status && status.error().id == "cri.unimplemented") continue;
    if (!status) return fail(Kind::unfit, "preflight.CRI", "container runtime is not running: " + status.error().message, hint);
    if (!status->runtime.ready)
      return fail(Kind::unfit, "preflight.CRI", "container runtime is not ready: " + printable(status->runtime.reason) + " " + printable(status->runtime.message), hint);
    return {};  // NetworkReady comes with the CNI plugin, which the cluster installs after the join
  }
  return fail(Kind::unfit, "preflight.CRI", "the runtime at " + quoted(path) + " serves no CRI that kubejoin knows", "enable its CRI plugin");
}

}  // namespace kubejoin::preflight
