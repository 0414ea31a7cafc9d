// SMBIOS type 11 strings: QEMU's -smbios type=11,value=io.kubejoin:user-data=…, and the same in libvirt, Cloud Hypervisor, VMware.
// Layout: DMTF DSP0134 (SMBIOS), §6.1.3 "Text strings" and §7.12 "OEM Strings"; where Linux shows it: drivers/firmware/dmi-sysfs.c.
// Prefixes after systemd's io.systemd.credential: and io.systemd.credential.binary: (docs/CREDENTIALS.md).
#include "source/platform.h"

namespace kubejoin::source {
namespace {

constexpr char kEntries[] = "/sys/firmware/dmi/entries";
constexpr std::string_view kPlain = "io.kubejoin:user-data=";
constexpr std::string_view kBinary = "io.kubejoin.binary:user-data=";  // base64: for what is no text
constexpr std::size_t kMaxTable = 64 << 10;                            // a structure's length field has 16 bits

// Behind a structure's formatted area, whose length is its second byte, stand its strings, each ended by a NUL.
std::vector<std::string> strings_of(std::string_view entry) {
  std::vector<std::string> strings;
  if (entry.size() < 5) return strings;
  std::string_view rest = entry.substr(std::min<std::size_t>(entry.size(), static_cast<unsigned char>(entry[1])));
  while (!rest.empty() && rest.front() != '\0') {
    strings.emplace_back(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(rest.size(), strings.back().size() + 1));
  }
  return strings;
}

struct Found {
  std::string where, text;
  bool binary = false;
};

std::optional<Found> find(Host& host) {
  const auto names = host.list(kEntries);
  if (!names) return std::nullopt;
  for (const auto& name : *names) {
    if (!name.starts_with("11-")) continue;
    const std::string path = std::string(kEntries) + "/" + name + "/raw";
    const auto raw = host.read(path, kMaxTable);
    if (!raw) continue;
    for (const auto& text : strings_of(*raw)) {
      if (text.starts_with(kPlain)) return Found{path, text.substr(kPlain.size())};
      if (text.starts_with(kBinary)) return Found{path, text.substr(kBinary.size()), true};
    }
  }
  return std::nullopt;
}

bool detect(Host& host, const Evidence&) { return find(host).has_value(); }

Result<Fetched> fetch_it(Host& host, const Evidence&, const std::string&, Instant) {
  Fetched fetched;
  fetched.origin = kEntries;
  auto found = find(host);
  if (!found) return fetched;
  fetched.origin = found->where;
  fetched.user_data = std::move(found->text);
  if (found->binary) {
    TRY(fetched.user_data, decoded(fetched.user_data, "SMBIOS"));
  }
  return fetched;
}

}  // namespace

extern const Source kSmbios = {"smbios", "smbios", "SMBIOS OEM string", "SMBIOS type 11, 'io.kubejoin:user-data=…'", kMaxTable, detect, fetch_it};

}  // namespace kubejoin::source
