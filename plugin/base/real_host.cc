// RealHost: the machine itself; files, services, clocks. Its network waits are in network.cc, its processes in process.cc.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/curl_session.h"
#include "base/host.h"
#include "base/network.h"
#include "base/process.h"
#include "base/text.h"

namespace kubejoin {
namespace {

// Written by the handler, watched by every wait. One for the process: signals are.
int g_wake_fd = -1;

void on_signal(int) {
  const int saved = errno;
  const std::uint64_t one = 1;
  (void)!::write(g_wake_fd, &one, sizeof one);
  errno = saved;
}

void install_signal_handlers() {
  if (g_wake_fd >= 0) return;
  g_wake_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) (void)::sigaction(signal, &action, nullptr);
}

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) (void)::close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

tl::unexpected<Error> failed(std::string_view call, const std::string& path, int why) {
  const bool absent = why == ENOENT || why == ENOTDIR;
  return fail(Kind::machine, absent ? "file.absent" : "file." + std::string(call), "unable to " + std::string(call) + " " + quoted(path) + ": " + std::strerror(why));
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

int poll_until(int fd, Instant deadline) {
  pollfd fds[2] = {{fd, POLLIN, 0}, {g_wake_fd, POLLIN, 0}};
  const auto left = std::chrono::duration_cast<Millis>(deadline - std::chrono::steady_clock::now()).count();
  if (left <= 0) return 0;
  const int ready = ::poll(fds, 2, static_cast<int>(std::min<long long>(left + 1, 3'600'000)));
  return ready > 0 && fds[1].revents != 0 ? -1 : ready;  // -1: a signal came
}

class RealHost : public Host {
 public:
  explicit RealHost(std::string root) : root_(std::move(root)) {
    while (!root_.empty() && root_.back() == '/') root_.pop_back();
    if (!root_.empty()) {
      if (char* whole = ::realpath(root_.c_str(), nullptr); whole != nullptr) {
        root_ = whole;
        std::free(whole);
      }
    }
    install_signal_handlers();
  }

  Result<std::string> read(const std::string& path, std::size_t max_bytes) override {
    const Fd fd(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd.ok()) return failed("read", path, errno);
    std::string content;
    char buffer[1 << 16];
    for (;;) {
      const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed("read", path, errno);
      if (n == 0) return content;
      content.append(buffer, static_cast<std::size_t>(n));
      if (content.size() > max_bytes)
        return fail(Kind::machine, "file.too-large", quoted(path) + " is larger than the " + std::to_string(max_bytes) + " bytes that kubejoin reads");
    }
  }

  std::optional<FileInfo> stat(const std::string& path) override {
    const Fd folder(open_folder(path));
    struct ::stat info {};
    const std::string name = name_of(path);
    if (!folder.ok() || ::fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
    FileInfo result;
    result.type = S_ISREG(info.st_mode)   ? FileType::regular
                  : S_ISDIR(info.st_mode) ? FileType::directory
                  : S_ISLNK(info.st_mode) ? FileType::symlink
                  : S_ISSOCK(info.st_mode) ? FileType::socket
                  : S_ISBLK(info.st_mode) || S_ISCHR(info.st_mode) ? FileType::device
                                                                   : FileType::other;
    result.mode = info.st_mode & 07777U;
    result.uid = info.st_uid;
    result.size = static_cast<std::uint64_t>(info.st_size);
    if (result.type == FileType::symlink) {
      char target[4096];
      const ssize_t n = ::readlinkat(folder.get(), name.c_str(), target, sizeof target);
      if (n > 0) result.link_target.assign(target, static_cast<std::size_t>(n));
    }
    return result;
  }

  Result<std::vector<std::string>> list(const std::string& dir) override {
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return failed("list", dir, errno);
    DIR* stream = ::fdopendir(fd);
    if (stream == nullptr) return (void)::close(fd), failed("list", dir, errno);
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(stream)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    ::closedir(stream);
    std::sort(names.begin(), names.end());
    return names;
  }

  Status write(const std::string& path, std::string_view content, unsigned mode) override {
    CHECK_OK(make_dirs(folder_of(path), 0755));
    const Fd folder(open_folder(path));
    if (!folder.ok()) return failed("write", path, errno);
    const std::string name = name_of(path), temporary = "." + name + "." + random_suffix();
    Fd file(::openat(folder.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.ok()) return failed("write", path, errno);
    int why = 0;
    if (::fchmod(file.get(), mode) != 0) why = errno;
    while (why == 0 && !content.empty()) {
      const ssize_t n = ::write(file.get(), content.data(), content.size());
      if (n < 0 && errno != EINTR) why = errno;
      if (n > 0) content.remove_prefix(static_cast<std::size_t>(n));
    }
    if (why == 0 && ::fsync(file.get()) != 0) why = errno;
    if (file.close() != 0 && why == 0) why = errno;
    if (why == 0 && ::renameat(folder.get(), temporary.c_str(), folder.get(), name.c_str()) != 0) why = errno;
    if (why != 0) {
      (void)::unlinkat(folder.get(), temporary.c_str(), 0);
      return failed("write", path, why);
    }
    (void)::fsync(folder.get());
    return {};
  }

  Status make_dirs(const std::string& path, unsigned mode) override {
    if (path == "/" || path.empty() || stat_folder(path)) return {};
    CHECK_OK(make_dirs(folder_of(path), 0755));
    const Fd folder(open_folder(path));
    const std::string name = name_of(path);
    if (!folder.ok() || (::mkdirat(folder.get(), name.c_str(), mode) != 0 && errno != EEXIST)) return failed("make", path, errno);
    if (::fchmodat(folder.get(), name.c_str(), mode, 0) != 0) return failed("make", path, errno);  // whatever the umask
    (void)::fsync(folder.get());
    return {};
  }

  Status symlink(const std::string& target, const std::string& path) override {
    if (const auto there = stat(path); there && there->type != FileType::symlink)
      return fail(Kind::machine, "file.link", quoted(path) + " exists and is not a link", "remove it");
    const Fd folder(open_folder(path));
    if (!folder.ok()) return failed("link", path, errno);
    const std::string name = name_of(path), temporary = "." + name + "." + random_suffix();
    if (::symlinkat(target.c_str(), folder.get(), temporary.c_str()) != 0) return failed("link", path, errno);
    if (::renameat(folder.get(), temporary.c_str(), folder.get(), name.c_str()) != 0) {
      const int why = errno;
      (void)::unlinkat(folder.get(), temporary.c_str(), 0);
      return failed("link", path, why);
    }
    (void)::fsync(folder.get());
    return {};
  }

  Status rename(const std::string& from, const std::string& to) override {
    const Fd a(open_folder(from)), b(open_folder(to));
    if (!a.ok() || !b.ok() || ::renameat(a.get(), name_of(from).c_str(), b.get(), name_of(to).c_str()) != 0) return failed("rename", from, errno);
    (void)::fsync(b.get());
    return {};
  }

  Status remove(const std::string& path) override {
    const Fd folder(open_folder(path));
    if (!folder.ok()) return {};
    const std::string name = name_of(path);
    if (::unlinkat(folder.get(), name.c_str(), 0) != 0) {
      if (errno == ENOENT) return {};
      if (errno != EISDIR || ::unlinkat(folder.get(), name.c_str(), AT_REMOVEDIR) != 0) return failed("remove", path, errno);
    }
    (void)::fsync(folder.get());
    return {};
  }

  Status remove_tree(const std::string& path) override {
    const auto info = stat(path);
    if (!info) return {};
    if (info->type == FileType::directory && !is_mount_point(path)) {
      TRY(const auto names, list(path));
      for (const std::string& name : names) CHECK_OK(remove_tree(path + "/" + name));
    }
    return remove(path);
  }

  Status wait_for_path(const std::string& path, Instant deadline) override {
    const Fd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!watch.ok()) return failed("watch", path, errno);
    for (;;) {
      // Watch first, look second: what appears in between is not missed.
      std::string ancestor = folder_of(path);
      while (!stat_folder(ancestor) && ancestor != "/") ancestor = folder_of(ancestor);
      (void)::inotify_add_watch(watch.get(), (root_ + ancestor).c_str(), IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_ONLYDIR);
      if (is_there(path)) return {};
      const int ready = poll_until(watch.get(), deadline);
      if (ready < 0) return fail(Kind::unavailable, "signal.terminated", "interrupted by a signal");
      if (ready == 0) return is_there(path) ? Status{} : fail(Kind::unavailable, "wait.timeout", quoted(path) + " did not appear in time");
      char events[4096];
      while (::read(watch.get(), events, sizeof events) > 0) {}
    }
  }

  void warm(const std::string& path) override {
    // A child thread, because readahead(2) blocks while the disk's queue is full; detached, as nobody waits for it.
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    std::thread([fd] {
      struct ::stat info {};
      if (::fstat(fd, &info) == 0) (void)::readahead(fd, 0, static_cast<std::size_t>(info.st_size));
      (void)::close(fd);
    }).detach();
  }

  Result<CommandResult> run(const Command& command) override { return run_process(command, g_wake_fd); }

  std::optional<std::string> find_program(const std::string& name) override {
    const char* path = std::getenv("PATH");
    for (const std::string& folder : split(path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin", ':')) {
      const std::string whole = folder + "/" + name;
      if (!folder.empty() && folder.front() == '/' && ::access((root_ + whole).c_str(), X_OK) == 0) return whole;
    }
    return std::nullopt;
  }

  std::unique_ptr<HttpSession> open_http(HttpOptions options) override {
    if (!options.unix_socket.empty()) options.unix_socket = root_ + options.unix_socket;
    return make_curl_session(std::move(options), g_wake_fd);
  }
  Status can_listen(std::uint16_t port) override { return network::can_listen(port); }
  Status can_connect_unix(const std::string& path) override { return network::can_connect_unix(root_ + path); }
  Status send_datagram(const std::string& unix_path, std::string_view data) override { return network::send_datagram(unix_path, data); }
  bool resolves(const std::string& name, Millis timeout) override { return network::resolves(name, timeout); }
  Status wait_for_route(const std::string& address, Instant deadline) override { return network::wait_for_route(address, deadline, g_wake_fd); }

  WallTime now() override { return std::chrono::system_clock::now(); }
  Instant monotonic() override { return std::chrono::steady_clock::now(); }
  void sleep_until(Instant when) override {
    while (std::chrono::steady_clock::now() < when && poll_until(-1, when) == 0) {}
  }
  void random(void* into, std::size_t bytes) override {
    auto* at = static_cast<char*>(into);
    while (bytes > 0) {
      const ssize_t n = ::getrandom(at, bytes, 0);
      if (n <= 0) continue;
      at += n;
      bytes -= static_cast<std::size_t>(n);
    }
  }
  std::string hostname() override {
    utsname name{};
    return ::uname(&name) == 0 ? name.nodename : "";
  }
  unsigned effective_uid() override { return ::geteuid(); }
  std::optional<std::string> environment(const std::string& name) override {
    const char* value = std::getenv(name.c_str());
    return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
  }
  bool terminating() override {
    pollfd fd{g_wake_fd, POLLIN, 0};
    return ::poll(&fd, 1, 0) > 0;
  }

 private:
  // Below a root, no link leads out of it: an absolute one means the root's own tree, as it will when the image runs.
  int open(const std::string& path, int flags) const {
    if (root_.empty()) return ::open(path.c_str(), flags);
    const Fd root(::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags);
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    return static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how));
  }
  int open_folder(const std::string& path) const { return open(folder_of(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }
  static std::string name_of(const std::string& path) { return path == "/" ? "." : path.substr(path.rfind('/') + 1); }
  bool stat_folder(const std::string& path) const { return Fd(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)).ok(); }
  bool is_there(const std::string& path) const { return Fd(open(path, O_PATH | O_CLOEXEC)).ok(); }  // follows links: a dangling one is not there

  bool is_mount_point(const std::string& path) const {
    struct ::stat self {}, parent {};
    const Fd a(open(path, O_PATH | O_CLOEXEC)), b(open(folder_of(path), O_PATH | O_CLOEXEC));
    return a.ok() && b.ok() && ::fstat(a.get(), &self) == 0 && ::fstat(b.get(), &parent) == 0 && self.st_dev != parent.st_dev;
  }

  std::string random_suffix() {
    char bytes[6];
    random(bytes, sizeof bytes);
    return hex({bytes, sizeof bytes});
  }

  std::string root_;
};

}  // namespace

std::unique_ptr<Host> make_real_host(std::string root) { return std::make_unique<RealHost>(std::move(root)); }

}  // namespace kubejoin
