// RealHost: the machine itself; files, signals, clocks. Its network waits are in network.cc, its processes in
// process.cc.
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <system_error>
#include <thread>

#include "base/curl_session.h"
#include "base/host.h"
#include "base/network.h"
#include "base/process.h"
#include "base/rooted.h"
#include "base/text.h"

namespace kubejoin {
namespace {

constexpr char kDefaultPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr int kLongestPollMs = 3'600'000;
constexpr std::string_view kTemporary = ".kubejoin-";

// Written by the handler, never emptied, watched by every wait. One for the process: signals are.
int g_wake_fd = -1;

void on_signal(int) {
  const int saved = errno;
  const std::uint64_t one = 1;
  (void)!::write(g_wake_fd, &one, sizeof one);
  errno = saved;
}

void install_signal_handlers() {
  if (g_wake_fd < 0) g_wake_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    struct sigaction before {};
    (void)::sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) (void)::sigaction(signal, &action, nullptr);  // nohup(1) stays in force
  }
  (void)std::signal(SIGPIPE, SIG_IGN);  // a peer or a child that went away is an error of the write, not our end
}

tl::unexpected<Error> failed(std::string_view call, const std::string& path, int why) {
  const bool absent = why == ENOENT || why == ENOTDIR;
  return fail(Kind::machine, absent ? "file.absent" : "file." + std::string(call),
              "unable to " + std::string(call) + " " + quoted(path) + ": " + std::strerror(why));
}

// "/a/b/" is "/a/b".
std::string without_end_slash(const std::string& path) {
  const std::size_t last = path.find_last_not_of('/');
  return last == path.npos ? "/" : path.substr(0, last + 1);
}

std::string folder_of(const std::string& path) {
  const std::string whole = without_end_slash(path);
  const std::size_t slash = whole.rfind('/');
  return slash == 0 || slash == whole.npos ? "/" : without_end_slash(whole.substr(0, slash));
}

std::string name_of(const std::string& path) {
  const std::string whole = without_end_slash(path);
  return whole == "/" ? "." : whole.substr(whole.rfind('/') + 1);
}

FileType type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return FileType::regular;
    case S_IFDIR:
      return FileType::directory;
    case S_IFLNK:
      return FileType::symlink;
    case S_IFSOCK:
      return FileType::socket;
    case S_IFBLK:
    case S_IFCHR:
      return FileType::device;
    default:
      return FileType::other;
  }
}

// The entries of an open folder but "." and "..", sorted; 0 or why it failed.
int read_names(Fd folder, std::vector<std::string>* ret_names) {
  DIR* stream = ::fdopendir(folder.get());
  if (stream == nullptr) return errno;
  (void)folder.release();
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  const int why = errno;
  (void)::closedir(stream);
  std::sort(names.begin(), names.end());
  *ret_names = std::move(names);
  return why;
}

// Removes `name` in `folder` and all below it; 0 or why it failed. By descriptors, so that nobody can put a link in the
// way; a folder that is another file system's is not entered (its rmdir then says that it is busy).
int remove_below(int folder, const std::string& name, dev_t device) {
  if (::unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) return 0;
  if (errno != EISDIR) return errno;
  struct ::stat info {};
  Fd inside(::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!inside.ok() || ::fstat(inside.get(), &info) != 0) return errno;
  if (info.st_dev == device) {
    const Fd again(::fcntl(inside.get(), F_DUPFD_CLOEXEC, 0));
    std::vector<std::string> names;
    if (const int why = read_names(std::move(inside), &names); why != 0) return why;
    for (const std::string& one : names) {
      if (const int why = remove_below(again.get(), one, device); why != 0) return why;
    }
  }
  return ::unlinkat(folder, name.c_str(), AT_REMOVEDIR) == 0 ? 0 : errno;
}

enum class Wake { event, deadline, signal };

// Until `fd` is readable (-1: nothing to wait for but time), the deadline, or a signal to end.
Wake wait_until(int fd, Instant deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<Millis>(deadline - std::chrono::steady_clock::now()).count();
    pollfd fds[2] = {{fd, POLLIN, 0}, {g_wake_fd, POLLIN, 0}};
    const int ready = ::poll(fds, 2, static_cast<int>(std::clamp<Millis::rep>(left, 0, kLongestPollMs)));
    if (ready > 0 && fds[1].revents != 0) return Wake::signal;
    if (ready > 0) return Wake::event;
    if (ready == 0 && left <= 0) return Wake::deadline;
  }
}

class HeldLock : public Lock {
 public:
  explicit HeldLock(Fd file) : file_(std::move(file)) {}

 private:
  Fd file_;
};

class RealHost : public Host {
 public:
  explicit RealHost(const std::string& root) {
    install_signal_handlers();
    if (without_end_slash(root) != "/") root_ = Fd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    is_rooted_ = without_end_slash(root) != "/";
  }
  RealHost(const RealHost&) = delete;
  RealHost& operator=(const RealHost&) = delete;
  ~RealHost() override { settle_last(); }

  // ---- files ----

  Result<std::string> read(const std::string& path, std::size_t max_bytes) override {
    // Without O_NONBLOCK a FIFO in the place of a file would hold us up for ever.
    const Fd file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!file.ok()) return failed("read", path, errno);
    std::string content;
    char buffer[1 << 16];
    for (;;) {
      const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed("read", path, errno);
      if (n == 0) return content;
      content.append(buffer, static_cast<std::size_t>(n));
      if (content.size() > max_bytes)
        return fail(Kind::machine, "file.too-large",
                    "unable to read " + quoted(path) + ": it is larger than " + std::to_string(max_bytes) + " bytes");
    }
  }

  std::optional<FileInfo> stat(const std::string& path) override {
    const Fd folder = open_folder(path);
    const std::string name = name_of(path);
    struct ::stat info {};
    if (!folder.ok() || ::fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
    FileInfo result{.type = type_of(info.st_mode),
                    .mode = info.st_mode & 07777U,
                    .uid = info.st_uid,
                    .size = static_cast<std::uint64_t>(info.st_size)};
    if (result.type == FileType::symlink) {
      char target[4096];
      const ssize_t n = ::readlinkat(folder.get(), name.c_str(), target, sizeof target);
      if (n > 0) result.link_target.assign(target, static_cast<std::size_t>(n));
    }
    return result;
  }

  Result<std::vector<std::string>> list(const std::string& dir) override {
    Fd folder = open(dir, O_RDONLY | O_DIRECTORY);
    if (!folder.ok()) return failed("list", dir, errno);
    std::vector<std::string> names;
    if (const int why = read_names(std::move(folder), &names); why != 0) return failed("list", dir, why);
    return names;
  }

  Status write(const std::string& path, std::string_view content, unsigned mode) override {
    CHECK_OK(make_dirs(folder_of(path), 0755));
    const Fd folder = open_to_change(path);
    if (!folder.ok()) return failed("write", path, errno);
    const std::string temporary = temporary_name(path);
    Fd file(::openat(folder.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.ok()) return failed("write", path, errno);
    int why = ::fchmod(file.get(), mode) == 0 ? 0 : errno;
    while (why == 0 && !content.empty()) {
      const ssize_t n = ::write(file.get(), content.data(), content.size());
      if (n < 0 && errno != EINTR) why = errno;
      if (n > 0) content.remove_prefix(static_cast<std::size_t>(n));
    }
    if (why == 0 && ::fsync(file.get()) != 0) why = errno;
    if (file.close() != 0 && why == 0) why = errno;
    return put_in_place("write", folder, temporary, path, why);
  }

  Status make_dirs(const std::string& path, unsigned mode) override {
    if (is_folder(path)) return {};
    if (path.empty() || name_of(path) == ".") return failed("make", path, ENOENT);
    CHECK_OK(make_dirs(folder_of(path), 0755));
    const Fd folder = open_folder(path);  // a new folder outlives a power cut with the first file in it, and is nothing before
    const std::string name = name_of(path);
    if (!folder.ok()) return failed("make", path, errno);
    if (::mkdirat(folder.get(), name.c_str(), mode) != 0) {
      const int why = errno;
      return why == EEXIST && is_folder(path) ? Status{}
                                              : failed("make", path, why);  // somebody else made it meanwhile
    }
    if (::fchmodat(folder.get(), name.c_str(), mode, 0) != 0) return failed("make", path, errno);  // whatever the umask
    return {};
  }

  Status symlink(const std::string& target, const std::string& path) override {
    if (const auto there = stat(path); there && there->type != FileType::symlink)
      return fail(Kind::machine, "file.link", "unable to link " + quoted(path) + ": it exists and is not a link",
                  "remove it");
    CHECK_OK(make_dirs(folder_of(path), 0755));
    const Fd folder = open_to_change(path);
    if (!folder.ok()) return failed("link", path, errno);
    const std::string temporary = temporary_name(path);
    if (::symlinkat(target.c_str(), folder.get(), temporary.c_str()) != 0) return failed("link", path, errno);
    return put_in_place("link", folder, temporary, path, 0);
  }

  Status rename(const std::string& from, const std::string& to) override {
    const Fd source = open_to_change(from), destination = open_to_change(to);
    if (!source.ok() || !destination.ok() ||
        ::renameat(source.get(), name_of(from).c_str(), destination.get(), name_of(to).c_str()) != 0)
      return failed("rename", from, errno);
    (void)::fsync(source.get());
    return {};
  }

  Status remove(const std::string& path) override {
    const Fd folder = open_to_change(path);
    const std::string name = name_of(path);
    bool is_gone = folder.ok() && ::unlinkat(folder.get(), name.c_str(), 0) == 0;
    if (!is_gone && errno == EISDIR) is_gone = ::unlinkat(folder.get(), name.c_str(), AT_REMOVEDIR) == 0;
    if (!is_gone) return errno == ENOENT || errno == ENOTDIR ? Status{} : failed("remove", path, errno);
    return {};
  }

  Status remove_tree(const std::string& path) override {
    const Fd folder = open_to_change(path);
    const std::string name = name_of(path);
    struct ::stat info {};
    if (!folder.ok() || ::fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
      return errno == ENOENT || errno == ENOTDIR ? Status{} : failed("remove", path, errno);
    if (const int why = remove_below(folder.get(), name, info.st_dev); why != 0) return failed("remove", path, why);
    return {};
  }

  Status settle(const std::string& path) override {
    const Fd folder = open_to_change(path);
    if (!folder.ok() || ::fsync(folder.get()) != 0) return failed("sync", path, errno);
    return {};
  }

  Status wait_for_path(const std::string& path, Instant deadline) override {
    const Fd events(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!events.ok()) return failed("watch", path, errno);
    for (;;) {
      std::string ancestor = folder_of(path);
      while (ancestor != "/" && !is_folder(ancestor)) ancestor = folder_of(ancestor);
      // Watch first, look second: what appears in between is not missed.
      const bool is_watched =
          ::inotify_add_watch(events.get(), machine_path(ancestor).c_str(),
                              IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR) >= 0;
      const int why = errno;
      if (exists(path)) return {};
      if (!is_watched && is_folder(ancestor)) return failed("watch", ancestor, why);
      if (!is_watched || is_folder(next_below(ancestor, path))) continue;  // the folders changed under us: look again
      switch (wait_until(events.get(), deadline)) {
        case Wake::signal:
          return terminated();
        case Wake::deadline:
          return fail(Kind::unavailable, "wait.timeout", quoted(path) + " did not appear in time");
        case Wake::event:
          break;
      }
      char buffer[4096];
      while (::read(events.get(), buffer, sizeof buffer) > 0) {
      }
    }
  }

  Result<std::unique_ptr<Lock>> lock(const std::string& path, Instant deadline) override {
    CHECK_OK(make_dirs(folder_of(path), 0755));
    const Fd folder = open_folder(path);
    Fd file(folder.ok() ? ::openat(folder.get(), name_of(path).c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600) : -1);
    if (!file.ok()) return failed("lock", path, errno);
    for (;;) {
      struct flock whole {};
      whole.l_type = F_WRLCK;
      if (::fcntl(file.get(), F_SETLK, &whole) == 0) break;
      if (errno != EAGAIN && errno != EACCES) return failed("lock", path, errno);
      if (::fcntl(file.get(), F_GETLK, &whole) != 0) return failed("lock", path, errno);
      if (whole.l_type == F_UNLCK) continue;  // it has just ended
      if (monotonic() >= deadline)
        return fail(Kind::unavailable, "lock.held", "another kubejoin is at work on this machine: process " + std::to_string(whole.l_pid),
                    "kubejoin status --wait tells how it ends");
      // Its end is an event of its pidfd. One of another container has none for us, and the sandbox of an older systemd knows no such call.
      const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, whole.l_pid, 0)));
      if (wait_until(process.get(), process.ok() ? deadline : std::min(deadline, monotonic() + Millis{200})) == Wake::signal)
        return terminated();
    }
    return std::make_unique<HeldLock>(std::move(file));
  }

  void warm(const std::string& path) override {
    Fd file = open(path, O_RDONLY | O_NONBLOCK);
    if (!file.ok()) return;
    // A thread, because readahead(2) blocks while the disk's queue is full; detached, as nobody waits for it.
    try {
      std::thread([file = std::move(file)] {
        struct ::stat info {};
        if (::fstat(file.get(), &info) == 0) (void)::readahead(file.get(), 0, static_cast<std::size_t>(info.st_size));
      }).detach();
    } catch (const std::system_error&) {  // no thread, no head start
    }
  }

  // ---- processes ----

  Result<CommandResult> run(const Command& command) override { return run_process(command, g_wake_fd); }

  std::optional<std::string> find_program(const std::string& name) override {
    for (const std::string& folder : split(environment("PATH").value_or(kDefaultPath), ':')) {
      const std::string path = folder + "/" + name;
      struct ::stat info {};
      const Fd file = folder.starts_with('/') ? open(path, O_PATH) : Fd();
      if (file.ok() && ::fstat(file.get(), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 0111U) != 0)
        return path;
    }
    return std::nullopt;
  }

  // ---- network ----

  std::unique_ptr<HttpSession> open_http(HttpOptions options) override {
    if (!options.unix_socket.empty()) options.unix_socket = machine_path(options.unix_socket);
    return make_curl_session(std::move(options), g_wake_fd);
  }
  Status can_listen(std::uint16_t port) override { return network::can_listen(port); }
  Status can_connect_unix(const std::string& path) override { return network::can_connect_unix(machine_path(path)); }
  Status send_datagram(const std::string& unix_path, std::string_view data) override {
    return network::send_datagram(unix_path, data);
  }
  bool resolves(const std::string& name, Millis timeout) override { return network::resolves(name, timeout); }
  Status wait_for_route(const std::string& address, Instant deadline) override {
    return network::wait_for_route(address, deadline, g_wake_fd);
  }

  // ---- clocks, chance, self ----

  WallTime now() override { return std::chrono::system_clock::now(); }
  Instant monotonic() override { return std::chrono::steady_clock::now(); }
  Status wait_for_clock(Millis offset, Instant deadline) override {
    // Armed first, looked at second: a clock that is set in between is not missed. The timer's own end is never; a set
    // clock cancels it, and it is armed anew.
    const Fd timer(::timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK));
    const itimerspec never{.it_interval = {}, .it_value = {.tv_sec = std::numeric_limits<std::time_t>::max(), .tv_nsec = 0}};
    for (;;) {
      if (::timerfd_settime(timer.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr) != 0 && errno != ECANCELED)
        return fail(Kind::machine, "clock.watch", std::string("unable to watch the clock: ") + std::strerror(errno));
      const auto is = std::chrono::duration_cast<Millis>(now().time_since_epoch() - monotonic().time_since_epoch());
      if (std::chrono::abs(is - offset) >= Millis{1'000}) return {};
      switch (wait_until(timer.get(), deadline)) {
        case Wake::signal:
          return terminated();
        case Wake::deadline:
          return fail(Kind::unavailable, "wait.timeout", "nobody set the clock in time");
        case Wake::event:
          break;
      }
    }
  }
  void sleep_until(Instant when) override { (void)wait_until(-1, when); }
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
  Fd open(const std::string& path, int flags) const {
    return is_rooted_ ? open_below(root_, path, flags) : Fd(::open(path.c_str(), flags | O_CLOEXEC));
  }
  // The folder that holds `path`.
  Fd open_folder(const std::string& path) const { return open(folder_of(path), O_RDONLY | O_DIRECTORY); }

  // The same, to make, replace or remove a name in it. What was done in one folder is made to last before a name changes
  // in another, and at our end: the order of all changes outlives a power cut, at one fsync for those made in a row.
  Fd open_to_change(const std::string& path) {
    Fd folder = open_folder(path);
    struct ::stat info {};
    struct ::statfs system {};
    if (!folder.ok() || ::fstat(folder.get(), &info) != 0 || (info.st_dev == unsettled_device_ && info.st_ino == unsettled_number_) ||
        (::fstatfs(folder.get(), &system) == 0 && system.f_type == TMPFS_MAGIC))
      return folder;
    settle_last();
    unsettled_ = Fd(::fcntl(folder.get(), F_DUPFD_CLOEXEC, 0));
    unsettled_device_ = info.st_dev;
    unsettled_number_ = info.st_ino;
    return folder;
  }
  void settle_last() {
    if (unsettled_.ok()) (void)::fsync(unsettled_.get());
  }

  bool is_folder(const std::string& path) const { return open(path, O_PATH | O_DIRECTORY).ok(); }
  bool exists(const std::string& path) const {
    return open(path, O_PATH).ok();
  }  // follows links: a dangling one is nothing

  // Where an existing path of ours is for a call that knows no root; below one, with every link resolved inside it.
  // What does not exist there must not be looked for elsewhere.
  std::string machine_path(const std::string& path) const {
    constexpr char kNowhere[] = "/dev/null/absent";
    if (!is_rooted_) return path;
    const Fd file = open(path, O_PATH);
    return file.ok() ? path_of(file).value_or(kNowhere) : kNowhere;
  }

  // The component of `path` that comes after its ancestor `above`.
  static std::string next_below(const std::string& above, const std::string& path) {
    return path.substr(0, path.find('/', above == "/" ? 1 : above.size() + 1));
  }

  std::string temporary_name(const std::string& path) {
    char bytes[6];
    random(bytes, sizeof bytes);
    return "." + name_of(path) + std::string(kTemporary) + hex({bytes, sizeof bytes});
  }

  // The last step of an atomic change. On failure, now or earlier (`why`), the temporary is gone and what stood there
  // stands.
  static Status put_in_place(std::string_view call, const Fd& folder, const std::string& temporary,
                             const std::string& path, int why) {
    if (why == 0 && ::renameat(folder.get(), temporary.c_str(), folder.get(), name_of(path).c_str()) != 0) why = errno;
    if (why != 0) {
      (void)::unlinkat(folder.get(), temporary.c_str(), 0);
      return failed(call, path, why);
    }
    return {};
  }

  bool is_rooted_ = false;
  Fd root_;
  Fd unsettled_;  // the folder in which a name was changed last
  dev_t unsettled_device_ = 0;
  ino_t unsettled_number_ = 0;
};

}  // namespace

bool is_leftover(std::string_view name) {
  const std::size_t mark = name.rfind(kTemporary);
  return name.starts_with('.') && mark != name.npos && mark > 0 && name.size() == mark + kTemporary.size() + 12 &&
         hex_decode(name.substr(mark + kTemporary.size())).has_value();
}

std::unique_ptr<Host> make_real_host(std::string root) { return std::make_unique<RealHost>(root); }

}  // namespace kubejoin
