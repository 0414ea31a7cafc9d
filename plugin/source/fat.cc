// FAT12, FAT16 and FAT32 with long names: what mkfs.vfat and a laptop write.
// Layout: Microsoft, "FAT: General Overview of On-Disk Format" 1.03 (fatgen103).
#include "base/text.h"
#include "source/filesystem.h"

namespace kubejoin::source {
namespace {

constexpr std::uint64_t kEntrySize = 32, kFirstCluster = 2, kMaxFolder = 1 << 20;
constexpr std::uint64_t kFixedRoot = 0;  // as a start: FAT12 and FAT16 have the root folder outside the clusters
enum : std::uint64_t { kVolume = 0x08, kFolder = 0x10, kLongName = 0x0f };

class Fat : public FileSystem {
 public:
  // Nothing of the boot sector is believed before plausible() says so.
  explicit Fat(std::shared_ptr<const Bytes> disk) : disk_(std::move(disk)) {
    sector_ = disk_->le(11, 2);
    cluster_ = disk_->le(13, 1) * sector_;
    fat_ = disk_->le(14, 2) * sector_;
    root_entries_ = disk_->le(17, 2);
    const std::uint64_t short_fat = disk_->le(22, 2), sectors = disk_->le(19, 2) != 0 ? disk_->le(19, 2) : disk_->le(32, 4);
    root_ = fat_ + disk_->le(16, 1) * (short_fat != 0 ? short_fat : disk_->le(36, 4)) * sector_;
    data_ = root_ + root_entries_ * kEntrySize;
    if (sector_ != 0) data_ = (data_ + sector_ - 1) / sector_ * sector_;
    if (cluster_ != 0 && sectors * sector_ > data_) clusters_ = (sectors * sector_ - data_) / cluster_;
    bits_ = clusters_ < 4085 ? 12 : clusters_ < 65525 ? 16 : 32;
    root_cluster_ = bits_ == 32 ? disk_->le(44, 4) : kFixedRoot;
  }

  bool plausible() const {
    const auto power_of_two = [](std::uint64_t n) { return n != 0 && (n & (n - 1)) == 0; };
    return disk_->le(510, 2) == 0xaa55 && power_of_two(sector_) && sector_ >= 512 && sector_ <= 4096 && power_of_two(cluster_) && fat_ != 0 &&
           root_ > fat_ && clusters_ != 0;
  }

 protected:
  Entry root() const override { return {.name = {}, .folder = true, .start = root_cluster_}; }

  std::string content(const Entry& entry) const override { return chain(entry.start, entry.size); }

  std::vector<Entry> list(const Entry& folder) const override {
    const std::string table =
        folder.start == kFixedRoot ? std::string(disk_->at(root_, root_entries_ * kEntrySize)) : chain(folder.start, kMaxFolder);
    const Bytes bytes(table);
    std::vector<Entry> entries;
    std::string long_name;
    for (std::uint64_t at = 0; at + kEntrySize <= table.size() && table[at] != 0; at += kEntrySize) {
      const std::uint64_t attributes = bytes.le(at + 11, 1);
      const bool deleted = table[at] == '\xe5';
      if (!deleted && attributes == kLongName) {
        long_name.insert(0, long_name_part(bytes, at));  // stored last part first
        continue;
      }
      if (!deleted && (attributes & kVolume) == 0) {
        Entry entry;
        entry.name = long_name.empty() ? short_name(table.substr(at, 11)) : long_name;
        entry.folder = attributes & kFolder;
        entry.start = bytes.le(at + 20, 2) << 16 | bytes.le(at + 26, 2);
        entry.size = bytes.le(at + 28, 4);
        entries.push_back(std::move(entry));
      }
      long_name.clear();
    }
    return entries;
  }

 private:
  // 13 UTF-16 units in three places; what is no ASCII cannot be a name that we look for.
  static std::string long_name_part(const Bytes& bytes, std::uint64_t at) {
    std::string part;
    for (const unsigned offset : {1u, 3u, 5u, 7u, 9u, 14u, 16u, 18u, 20u, 22u, 24u, 28u, 30u}) {
      const std::uint64_t unit = bytes.le(at + offset, 2);
      if (unit == 0) break;
      part += unit < 0x80 ? static_cast<char>(unit) : '?';
    }
    return part;
  }

  static std::string short_name(const std::string& field) {
    const std::string extension(trim(field.substr(8)));
    return std::string(trim(field.substr(0, 8))) + (extension.empty() ? "" : "." + extension);
  }

  std::uint64_t next(std::uint64_t cluster) const {
    if (bits_ == 32) return disk_->le(fat_ + cluster * 4, 4) & 0x0fffffff;
    if (bits_ == 16) return disk_->le(fat_ + cluster * 2, 2);
    const std::uint64_t pair = disk_->le(fat_ + cluster + cluster / 2, 2);
    return cluster % 2 == 1 ? pair >> 4 : pair & 0xfff;
  }

  // At most `size` bytes; a chain that leaves the disk or turns back into itself ends there.
  std::string chain(std::uint64_t cluster, std::uint64_t size) const {
    std::string out;
    while (out.size() < size && cluster >= kFirstCluster && cluster < clusters_ + kFirstCluster) {
      out += disk_->at(data_ + (cluster - kFirstCluster) * cluster_, std::min(cluster_, size - out.size()));
      cluster = next(cluster);
    }
    return out;
  }

  std::shared_ptr<const Bytes> disk_;
  std::uint64_t sector_ = 0, cluster_ = 0;  // bytes
  std::uint64_t fat_ = 0, root_ = 0, data_ = 0;  // offsets
  std::uint64_t root_entries_ = 0, root_cluster_ = 0, clusters_ = 0;
  int bits_ = 0;
};

}  // namespace

std::unique_ptr<FileSystem> open_fat(std::shared_ptr<const Bytes> disk) {
  auto fat = std::make_unique<Fat>(std::move(disk));
  if (!fat->plausible()) return nullptr;
  return fat;
}

}  // namespace kubejoin::source
