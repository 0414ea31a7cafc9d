// QEMU's firmware configuration: -fw_cfg name=opt/io.kubejoin/user-data,file=… ; Ignition's name is read as well.
// Where Linux shows it: drivers/firmware/qemu_fw_cfg.c. Ignition's name: coreos/ignition internal/providers/qemu/qemu_fwcfg.go.
#include <array>

#include "source/platform.h"

namespace kubejoin::source {
namespace {

constexpr std::array<std::string_view, 2> kPaths = {
    "/sys/firmware/qemu_fw_cfg/by_name/opt/io.kubejoin/user-data/raw",
    "/sys/firmware/qemu_fw_cfg/by_name/opt/com.coreos/config/raw",
};

std::string find(Host& host) {
  for (const auto path : kPaths)
    if (exists(host, std::string(path))) return std::string(path);
  return {};
}

bool detect(Host& host, const Evidence&) { return !find(host).empty(); }

Result<Fetched> fetch_it(Host& host, const Evidence&, const std::string&, Instant) {
  const std::string path = find(host);
  return from_file(host, path.empty() ? std::string(kPaths.front()) : path);
}

}  // namespace

extern const Source kFwCfg = {"fw_cfg", "fw_cfg", "QEMU fw_cfg", "fw_cfg opt/io.kubejoin/user-data or opt/com.coreos/config", kMaxUserData, detect, fetch_it};

}  // namespace kubejoin::source
