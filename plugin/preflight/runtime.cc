// The container runtime, asked over its own socket: no crictl, no child process.
#include "base/text.h"
#include "preflight/checks.h"

namespace kubejoin::preflight {
namespace {

std::string path_of(const std::string& cri_socket) { return cri_socket.substr(cri_socket.rfind("unix://", 0) == 0 ? 7 : 0); }

// A connection for each request: servers differ in what they do to one on which they have just refused a service.
Result<HttpResponse> ask(Host& host, const std::string& path, HttpRequest request) {
  HttpOptions options;
  options.unix_socket = path;
  options.h2c = true;
  options.use_proxy = false;
  return host.open_http(std::move(options))->run_one(std::move(request));
}

}  // namespace

namespace {

// Ready, or why not; `service` is the version of CRI that it answered in.
Status ask_status(Host& host, const std::string& path, std::string_view& service) {
  const std::string hint = "start it (systemctl start containerd), or name the right socket: --cri-socket";
  if (!host.stat(path)) return fail(Kind::unfit, "preflight.CRI", "container runtime is not running: " + quoted(path) + " does not exist", hint);
  for (const std::string_view one : kube::kCriServices) {
    const auto answer = ask(host, path, kube::cri_status_request(one));
    if (!answer) return fail(Kind::unfit, "preflight.CRI", "container runtime is not running: " + answer.error().message, hint);
    const auto status = kube::parse_cri_status(*answer);
    if (!status && status.error().id == "cri.unimplemented") continue;
    if (!status) return fail(Kind::unfit, "preflight.CRI", "container runtime is not running: " + status.error().message, hint);
    service = one;
    if (!status->runtime.ready)
      return fail(Kind::unfit, "preflight.CRI", "container runtime is not ready: " + printable(status->runtime.reason) + " " + printable(status->runtime.message), hint);
    return {};  // NetworkReady comes with the CNI plugin, which the cluster installs after the join
  }
  return fail(Kind::unfit, "preflight.CRI", "the runtime at " + quoted(path) + " serves no CRI that kubejoin knows", "enable its CRI plugin");
}

}  // namespace

Runtime ask_runtime(Host& host, const std::string& cri_socket) {
  const std::string path = path_of(cri_socket);
  Runtime runtime;
  std::string_view service;
  runtime.ready = ask_status(host, path, service);
  runtime.speaks_v1 = service == kube::kCriServices[0];
  if (service.empty()) return runtime;
  if (runtime.speaks_v1) {
    const auto answer = ask(host, path, kube::cri_runtime_config_request());
    if (!answer) return runtime;
    auto driver = kube::parse_cri_runtime_config(*answer);
    if (driver) return runtime.cgroup_driver = *std::move(driver), runtime;
    if (driver.error().id != "cri.unimplemented") return runtime;
  }
  runtime.lacks_runtime_config = true;
  const auto info = ask(host, path, kube::cri_info_request(service));
  if (info) runtime.cgroup_driver = kube::parse_cri_info_cgroup_driver(*info).value_or("");
  return runtime;
}

bool speaks_v1alpha2(Host& host, const std::string& cri_socket) {
  const auto answer = ask(host, path_of(cri_socket), kube::cri_version_request(kube::kCriServices[1]));
  return !answer || kube::parse_cri_version(*answer) || kube::parse_cri_version(*answer).error().id != "cri.unimplemented";
}

}  // namespace kubejoin::preflight
