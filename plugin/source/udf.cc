// UDF on a CD: Azure's provisioning disk.
// Layout: ECMA-167 3rd edition, parts 3 and 4, with the restrictions of OSTA UDF 1.02: one partition, no packet writing.
#include "source/filesystem.h"

namespace kubejoin::source {
namespace {

constexpr std::uint64_t kBlock = 2048, kAnchor = 256;
constexpr std::uint64_t kMaxDescriptors = 64, kMaxExtents = 1024, kMaxNameEntries = 10'000;
enum Tag : std::uint64_t { kAnchorTag = 2, kPartitionTag = 5, kLogicalVolumeTag = 6, kTerminatorTag = 8, kFileSetTag = 256, kNameTag = 257, kFileTag = 261, kExtendedFileTag = 266 };
enum : std::uint64_t { kNameFolder = 2, kNameDeleted = 4, kNameParent = 8 };
enum : std::uint64_t { kShortExtents = 0, kLongExtents = 1, kEmbedded = 3 };

class Udf : public FileSystem {
 public:
  explicit Udf(std::shared_ptr<const Bytes> disk) : disk_(std::move(disk)) {
    const std::uint64_t anchor = kAnchor * kBlock;
    if (tag(anchor) != kAnchorTag) return;
    const std::uint64_t count = std::min(disk_->le(anchor + 16, 4) / kBlock, kMaxDescriptors), first = disk_->le(anchor + 20, 4);
    std::uint64_t file_set = 0;
    bool has_volume = false;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t at = (first + i) * kBlock;
      if (tag(at) == kTerminatorTag) break;
      if (tag(at) == kPartitionTag) partition_ = disk_->le(at + 188, 4);
      if (tag(at) == kLogicalVolumeTag && disk_->le(at + 212, 4) == kBlock) {
        file_set = disk_->le(at + 248 + 4, 4);
        has_volume = true;
      }
    }
    const std::uint64_t set = block(file_set);
    if (has_volume && partition_ != 0 && tag(set) == kFileSetTag) root_ = disk_->le(set + 400 + 4, 4);
  }

  bool plausible() const { return root_ && (tag(block(*root_)) == kFileTag || tag(block(*root_)) == kExtendedFileTag); }

 protected:
  // An entry's start is the block of its file entry.
  Entry root() const override { return entry_at(*root_, {}, true); }

  std::string content(const Entry& entry) const override {
    const std::uint64_t at = block(entry.start);
    const bool extended = tag(at) == kExtendedFileTag;
    const std::uint64_t lengths = at + (extended ? 208 : 168);
    std::uint64_t from = lengths + 8 + disk_->le(lengths, 4);  // behind the extended attributes
    const std::uint64_t end = from + disk_->le(lengths + 4, 4);
    const std::uint64_t kind = disk_->le(at + 34, 2) & 7;
    if (kind == kEmbedded) return std::string(disk_->at(from, entry.size));
    if (kind != kShortExtents && kind != kLongExtents) return {};
    const std::uint64_t step = kind == kShortExtents ? 8 : 16;
    std::string out;
    for (std::uint64_t i = 0; i < kMaxExtents && from + step <= end && out.size() < entry.size; ++i, from += step) {
      const std::uint64_t length = disk_->le(from, 4) & 0x3fffffff;  // the upper two bits are the extent's kind
      out += disk_->at(block(disk_->le(from + 4, 4)), std::min(length, entry.size - out.size()));
    }
    return out;
  }

  std::vector<Entry> list(const Entry& folder) const override {
    const Bytes names(content(folder));
    std::vector<Entry> entries;
    std::uint64_t at = 0;
    for (std::uint64_t i = 0; i < kMaxNameEntries && names.le(at, 2) == kNameTag; ++i) {
      const std::uint64_t flags = names.le(at + 18, 1), name_length = names.le(at + 19, 1), more = names.le(at + 36, 2);
      if ((flags & (kNameDeleted | kNameParent)) == 0)
        entries.push_back(entry_at(names.le(at + 20 + 4, 4), name_from(names.at(at + 38 + more, name_length)), flags & kNameFolder));
      at += (38 + more + name_length + 3) / 4 * 4;
    }
    return entries;
  }

 private:
  std::uint64_t tag(std::uint64_t at) const { return disk_->le(at, 2); }
  std::uint64_t block(std::uint64_t number) const { return (partition_ + number) * kBlock; }
  Entry entry_at(std::uint64_t number, std::string name, bool folder) const {
    return {.name = std::move(name), .folder = folder, .start = number, .size = disk_->le(block(number) + 56, 8)};
  }

  // OSTA CS0: the first byte tells whether 8 or 16 bits a character follow.
  static std::string name_from(std::string_view text) {
    if (text.empty()) return {};
    if (text[0] == 8) return std::string(text.substr(1));
    std::string name;
    for (std::size_t i = 2; i < text.size(); i += 2) name += text[i - 1] == 0 ? text[i] : '?';
    return name;
  }

  std::shared_ptr<const Bytes> disk_;
  std::uint64_t partition_ = 0;  // its first block
  std::optional<std::uint64_t> root_;
};

}  // namespace

std::unique_ptr<FileSystem> open_udf(std::shared_ptr<const Bytes> disk) {
  auto udf = std::make_unique<Udf>(std::move(disk));
  if (!udf->plausible()) return nullptr;
  return udf;
}

}  // namespace kubejoin::source
