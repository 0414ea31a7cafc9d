// FileSystem: a small disk, read into memory and never mounted: no privilege, no kernel parser, every length checked.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/host.h"

namespace kubejoin::source {

// The bytes of a disk. Reading beyond the end gives fewer bytes, or zero.
class Bytes {
 public:
  explicit Bytes(std::string data) : data_(std::move(data)) {}
  std::string_view at(std::uint64_t offset, std::uint64_t size) const;
  std::uint64_t le(std::uint64_t offset, int width) const;  // little-endian unsigned number of `width` bytes
  std::uint64_t size() const { return data_.size(); }

 private:
  std::string data_;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // The content of the file at `path` ("openstack/latest/user_data"; upper and lower case are one), or nothing.
  // A file longer than 1 MiB, or whose blocks lie outside the disk, is nothing.
  std::optional<std::string> file(std::string_view path) const;

 protected:
  struct Entry {
    std::string name;
    bool folder = false;
    std::uint64_t start = 0;  // the format's own: a sector, a cluster
    std::uint64_t size = 0;
  };
  virtual Entry root() const = 0;
  virtual std::string content(const Entry& entry) const = 0;  // whole, or shorter than entry.size when the disk is damaged
  virtual std::vector<Entry> list(const Entry& folder) const = 0;
};

// Each nothing when the bytes are no such file system.
std::unique_ptr<FileSystem> open_iso9660(std::shared_ptr<const Bytes> disk);  // with Joliet and Rock Ridge
std::unique_ptr<FileSystem> open_fat(std::shared_ptr<const Bytes> disk);      // FAT12, 16, 32 with long names
std::unique_ptr<FileSystem> open_udf(std::shared_ptr<const Bytes> disk);

// The file system on a block device or in an image file of at most 128 MiB. "disk.unknown" when it is none of the three.
Result<std::unique_ptr<FileSystem>> open_disk(Host& host, const std::string& path);
// The device that carries one of the labels, as udev names it; "" when there is none.
std::string disk_labelled(Host& host, std::initializer_list<std::string_view> labels);

}  // namespace kubejoin::source
