// The walk through any of the file systems, and which of them a disk holds.
#include "source/filesystem.h"

#include "base/text.h"

namespace kubejoin::source {
namespace {

constexpr std::size_t kMaxDisk = 128 << 20;  // OpenStack's config drive in FAT has 64 MiB
constexpr std::uint64_t kMaxFile = 1 << 20;

}  // namespace

std::string_view Bytes::at(std::uint64_t offset, std::uint64_t size) const {
  if (offset >= data_.size()) return {};
  return std::string_view(data_).substr(offset, size);
}

std::uint64_t Bytes::le(std::uint64_t offset, int width) const {
  std::uint64_t number = 0;
  const auto bytes = at(offset, static_cast<std::uint64_t>(width));
  for (std::size_t i = bytes.size(); i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number;
}

std::optional<std::string> FileSystem::file(std::string_view path) const {
  Entry here = root();
  for (const auto& part : split(path, '/')) {
    if (!here.folder || here.size > kMaxFile) return std::nullopt;
    const auto entries = list(here);
    const auto match = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return lower(entry.name) == lower(part); });
    if (match == entries.end()) return std::nullopt;
    here = *match;
  }
  if (here.folder || here.size > kMaxFile) return std::nullopt;
  std::string text = content(here);
  if (text.size() != here.size) return std::nullopt;
  return text;
}

Result<std::unique_ptr<FileSystem>> open_disk(Host& host, const std::string& path) {
  TRY(auto data, host.read(path, kMaxDisk));
  const auto bytes = std::make_shared<const Bytes>(std::move(data));
  // UDF first: a disk may carry ISO 9660 beside it, with fewer files.
  for (const auto open : {open_udf, open_iso9660, open_fat})
    if (auto found = open(bytes)) return found;
  return fail(Kind::machine, "disk.unknown", "the disk " + quoted(path) + " holds neither ISO 9660, FAT nor UDF");
}

std::string disk_labelled(Host& host, std::initializer_list<std::string_view> labels) {
  for (const auto label : labels) {
    std::string path = "/dev/disk/by-label/" + std::string(label);
    if (host.stat(path)) return path;
  }
  return {};
}

}  // namespace kubejoin::source
