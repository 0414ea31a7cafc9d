// ISO 9660 with Joliet and Rock Ridge names: what genisoimage, xorriso, mkisofs and hdiutil write.
// Layout: ECMA-119; Joliet Specification (Microsoft, 1995); IEEE P1282 (Rock Ridge), NM of §4.1.4.
#include "base/text.h"
#include "source/filesystem.h"

namespace kubejoin::source {
namespace {

constexpr std::uint64_t kSector = 2048, kFirstDescriptor = 16;
constexpr int kMaxDescriptors = 32;
enum : char { kPrimary = 1, kSupplementary = 2, kTerminator = static_cast<char>(255) };
constexpr std::uint64_t kEscapeSequences = 88, kRootRecord = 156;

class Iso9660 : public FileSystem {
 public:
  Iso9660(std::shared_ptr<const Bytes> disk, std::uint64_t descriptor, bool joliet)
      : disk_(std::move(disk)), root_record_(descriptor + kRootRecord), joliet_(joliet) {}

 protected:
  Entry root() const override { return entry_at(root_record_); }

  std::string content(const Entry& entry) const override { return std::string(disk_->at(entry.start * kSector, entry.size)); }

  std::vector<Entry> list(const Entry& folder) const override {
    std::vector<Entry> entries;
    const std::uint64_t start = folder.start * kSector, end = std::min(start + folder.size, disk_->size());
    for (std::uint64_t at = start; at < end;) {
      const std::uint64_t length = disk_->le(at, 1);
      if (length == 0) {  // a record does not cross a sector: the rest of this one is empty
        at = (at / kSector + 1) * kSector;
        continue;
      }
      entries.push_back(entry_at(at));
      at += length;
    }
    return entries;
  }

 private:
  Entry entry_at(std::uint64_t record) const {
    Entry entry;
    entry.start = disk_->le(record + 2, 4);
    entry.size = disk_->le(record + 10, 4);
    entry.folder = disk_->le(record + 25, 1) & 2;
    const std::uint64_t length = disk_->le(record, 1), name_length = disk_->le(record + 32, 1);
    const std::string_view name = disk_->at(record + 33, name_length);
    if (joliet_) {
      for (std::size_t i = 1; i < name.size(); i += 2) entry.name += name[i - 1] == 0 ? name[i] : '?';  // UCS-2, big-endian
    } else {
      const std::uint64_t system_use = record + 33 + name_length + (name_length % 2 == 0 ? 1 : 0);
      entry.name = rock_ridge_name(system_use, record + length);
      if (entry.name.empty()) entry.name = std::string(name);
    }
    entry.name = entry.name.substr(0, entry.name.find(';'));  // the version
    if (entry.name.ends_with('.')) entry.name.pop_back();
    return entry;
  }

  std::string rock_ridge_name(std::uint64_t at, std::uint64_t end) const {
    std::string name;
    while (at + 4 <= end) {
      const std::uint64_t length = disk_->le(at + 2, 1);
      if (length < 4) break;
      if (disk_->at(at, 2) == "NM" && length > 5) name += disk_->at(at + 5, length - 5);
      at += length;
    }
    return name;
  }

  std::shared_ptr<const Bytes> disk_;
  std::uint64_t root_record_;
  bool joliet_;
};

bool is_joliet(std::string_view escape) { return escape == "%/@" || escape == "%/C" || escape == "%/E"; }

}  // namespace

std::unique_ptr<FileSystem> open_iso9660(std::shared_ptr<const Bytes> disk) {
  std::uint64_t primary = 0, joliet = 0;
  for (int i = 0; i < kMaxDescriptors; ++i) {
    const std::uint64_t at = (kFirstDescriptor + static_cast<std::uint64_t>(i)) * kSector;
    if (disk->at(at + 1, 5) != "CD001") break;
    const char type = disk->at(at, 1)[0];
    if (type == kTerminator) break;
    if (type == kPrimary && primary == 0) primary = at;
    if (type == kSupplementary && is_joliet(disk->at(at + kEscapeSequences, 3))) joliet = at;
  }
  if (primary == 0) return nullptr;
  return std::make_unique<Iso9660>(disk, joliet != 0 ? joliet : primary, joliet != 0);
}

}  // namespace kubejoin::source
