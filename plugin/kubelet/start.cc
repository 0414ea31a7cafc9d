// The kubelet's service: enabled, and started once.
#include "base/text.h"
#include "plan/join_plan.h"
#include "plan/state.h"

namespace kubejoin::kubelet {
namespace {

constexpr Millis kServiceTimeout{60'000};

bool is_enabled(Host& host) {
  for (const char* link : {"/etc/systemd/system/multi-user.target.wants/kubelet.service", "/etc/systemd/system/cloud-init.target.wants/kubelet.service"})
    if (host.stat(link)) return true;
  return false;
}

Status call(Host& host, std::vector<std::string> argv) {
  const std::string line = join(argv, " ");
  auto result = host.run({.argv = std::move(argv), .timeout = kServiceTimeout});
  if (!result) return within("start the kubelet service", std::move(result).error());
  if (result->status != 0)
    return fail(Kind::machine, "kubelet.start", "unable to start the kubelet service: " + line + " ended with status " + std::to_string(result->status) +
                    (result->err.empty() ? "" : ": " + printable(trim(result->err))),
                "systemctl status kubelet; journalctl -xeu kubelet");
  return {};
}

}  // namespace

// `restart`, because a packaged kubelet is in its restart loop until it has a configuration; --no-block, because the Node is watched
// and not the job. An environment file is read at every start, so no daemon-reload is due.
Status start(plan::Context& context) {
  Host& host = context.host;
  context.observer.note("Starting the kubelet");
  if (host.find_program("systemctl")) {
    if (!is_enabled(host)) {
      if (auto enabled = call(host, {"systemctl", "enable", "kubelet"}); !enabled) {
        Error warning = std::move(enabled).error();
        warning.id = "kubelet.enable";
        context.observer.warning(warning);  // it runs now; after a reboot it may not
      }
    }
    CHECK_OK(call(host, {"systemctl", "restart", "--no-block", "kubelet"}));
  } else if (host.find_program("rc-service")) {
    CHECK_OK(call(host, {"rc-service", "kubelet", "restart"}));
  } else {
    Error warning;
    warning.kind = Kind::unfit;
    warning.id = "kubelet.no-init-system";
    warning.message = "no supported init system: the kubelet has to be started by hand";
    context.observer.warning(warning);
  }
  context.observer.milestone("kubelet-started");
  return {};
}

}  // namespace kubejoin::kubelet
