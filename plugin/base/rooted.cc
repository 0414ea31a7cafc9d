// openat2 where there is one, else the same walk component by component.
#include "base/rooted.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <climits>
#include <vector>

#include "base/text.h"

namespace kubejoin {
namespace {

constexpr int kMaxLinks = 40;  // as the kernel's own limit
constexpr int kMaxRaces = 16;  // openat2 gives EAGAIN when something on the way was renamed meanwhile

// Puts the components of `path` in front of those that are left, to be taken from the back.
void push_components(std::vector<std::string>& left, const std::string& path) {
  const std::vector<std::string> parts = split(path, '/');
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (!part->empty() && *part != ".") left.push_back(*part);
  }
}

Fd failed_with(int why) {
  errno = why;
  return Fd();
}

}  // namespace

Fd open_below(const Fd& root, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  for (int races = 0; races < kMaxRaces; ++races) {
    Fd file(static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how)));
    if (file.ok() || (errno != EAGAIN && errno != ENOSYS && errno != EPERM)) return file;
    if (errno != EAGAIN) break;  // EPERM: a sandbox that does not know the call
  }
  return walk_below(root, path, flags);
}

Fd walk_below(const Fd& root, const std::string& path, int flags) {
  std::vector<Fd> above;  // the folders from the root to here: ".." goes back by this list, and so never above the root
  std::vector<std::string> left;
  push_components(left, path);
  int links = 0;
  while (!left.empty()) {
    const std::string name = std::exchange(left.back(), {});
    left.pop_back();
    if (name == "..") {
      if (!above.empty()) above.pop_back();
      continue;
    }
    const int here = above.empty() ? root.get() : above.back().get();
    Fd entry(::openat(here, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct ::stat info {};
    if (!entry.ok() || ::fstat(entry.get(), &info) != 0) return Fd();
    if (S_ISLNK(info.st_mode) && (!left.empty() || (flags & O_NOFOLLOW) == 0)) {
      char target[PATH_MAX];
      const ssize_t size = ::readlinkat(entry.get(), "", target, sizeof target);
      if (size < 0) return Fd();
      if (++links > kMaxLinks) return failed_with(ELOOP);
      if (target[0] == '/') above.clear();
      push_components(left, std::string(target, static_cast<std::size_t>(size)));
      continue;
    }
    if (left.empty()) return Fd(::openat(here, name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
    if (!S_ISDIR(info.st_mode)) return failed_with(ENOTDIR);
    above.push_back(std::move(entry));
  }
  return Fd(::openat(above.empty() ? root.get() : above.back().get(), ".", flags | O_CLOEXEC));
}

std::optional<std::string> path_of(const Fd& file) {
  char path[PATH_MAX];
  const ssize_t size = ::readlink(("/proc/self/fd/" + std::to_string(file.get())).c_str(), path, sizeof path);
  if (size <= 0 || path[0] != '/') return std::nullopt;
  return std::string(path, static_cast<std::size_t>(size));
}

}  // namespace kubejoin
