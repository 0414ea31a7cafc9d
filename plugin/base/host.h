// Host: the only way to touch the world. The real one is RealHost; tests have a fake that records and fails the n-th
// touch.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/http.h"
#include "base/result.h"

namespace kubejoin {

using Millis = std::chrono::milliseconds;
using WallTime = std::chrono::system_clock::time_point;
using Instant = std::chrono::steady_clock::time_point;  // CLOCK_MONOTONIC: comparable with systemd's timestamps

enum class FileType { regular, directory, symlink, socket, device, other };

struct FileInfo {
  FileType type = FileType::other;
  unsigned mode = 0;  // permission bits
  unsigned uid = 0;
  std::uint64_t size = 0;
  std::string link_target{};  // of a symlink
};

struct Command {
  std::vector<std::string> argv{};                         // argv[0] is looked up on PATH; no secret here, ever
  std::string input{};                                     // stdin
  std::vector<std::pair<std::string, std::string>> env{};  // added to ours
  Millis timeout{30'000};            // then SIGKILL to its process group: Kind::unavailable "process.timeout"
  std::size_t max_output = 1 << 20;  // of each of out and err; what comes after is read and dropped
  bool changes_nothing = false;      // it only reads, so that it runs in a dry run too
};

struct CommandResult {
  int status = 0;  // exit status, 128+n for a signal
  std::string out{};
  std::string err{};
};

// A lock that this process holds while the object lives.
class Lock {
 public:
  virtual ~Lock() = default;
};

// All paths are absolute and seen from the root that the Host was given (`--root`): no link leads out of it. Every
// failure of the file calls is Kind::machine with id "file.<call>"; an absent file or folder is "file.absent".
class Host {
 public:
  virtual ~Host() = default;

  // --- files ---
  virtual Result<std::string> read(const std::string& path,
                                   std::size_t max_bytes = 4 << 20) = 0;  // more: "file.too-large"
  virtual std::optional<FileInfo> stat(const std::string& path) = 0;      // lstat; nothing when absent or unreadable
  virtual Result<std::vector<std::string>> list(const std::string& dir) = 0;  // sorted names; absent dir: "file.absent"
  // Atomic: temporary file in the folder with `mode` from its birth, content, fsync, rename; changes last in their order.
  // Missing parents are made with 0755. On failure nothing is left and the old content stands.
  virtual Status write(const std::string& path, std::string_view content, unsigned mode) = 0;
  virtual Status make_dirs(const std::string& path, unsigned mode) = 0;  // existing ones are left alone
  virtual Status symlink(
      const std::string& target,
      const std::string& path) = 0;  // replaces atomically; an existing non-link is an error; makes parents
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status remove(
      const std::string& path) = 0;  // file, link or empty folder; absent is success
  virtual Status remove_tree(const std::string& path) = 0;  // does not follow links, does not leave the file system
  // Returns when what was changed in the folder of `path`, and anywhere before, outlives a power cut: for what must not be lost
  // once somebody else has heard of it.
  virtual Status settle(const std::string& path) = 0;
  // Waits until `path` exists (inotify on its nearest existing ancestor) or the deadline: "wait.timeout".
  virtual Status wait_for_path(const std::string& path, Instant deadline) = 0;
  // Takes the exclusive lock of the file, which is made with 0600 and stays (fcntl(2), whose kernel knows who holds one).
  // While another process holds it, waits for that one's end until the deadline: Kind::unavailable "lock.held", by name.
  virtual Result<std::unique_ptr<Lock>> lock(const std::string& path, Instant deadline) = 0;
  // Starts reading the file into the page cache and returns at once; best effort.
  virtual void warm(const std::string& path) = 0;

  // --- processes and services ---
  virtual Result<CommandResult> run(const Command& command) = 0;                 // not found on PATH: "process.absent"
  virtual std::optional<std::string> find_program(const std::string& name) = 0;  // on PATH

  // --- network ---
  virtual std::unique_ptr<HttpSession> open_http(HttpOptions options) = 0;
  virtual Status can_listen(std::uint16_t port) = 0;  // binds and closes; in use: "net.port-in-use"
  virtual Status can_connect_unix(const std::string& path) = 0;
  virtual Status send_datagram(const std::string& unix_path, std::string_view data) = 0;  // '@' = abstract
  virtual bool resolves(const std::string& name, Millis timeout) = 0;                     // hosts file, then DNS
  // Waits until the kernel has a route to `address` (literal; a name: any default route; rtnetlink events) or the
  // deadline: Kind::unavailable "net.no-route".
  virtual Status wait_for_route(const std::string& address, Instant deadline) = 0;

  // --- clocks, chance, self ---
  virtual WallTime now() = 0;
  virtual Instant monotonic() = 0;
  // Waits until now() is not `offset` ahead of monotonic() any more, a second aside: somebody has set the clock, then or
  // since `offset` was taken. An event (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET), no poll. Or the deadline:
  // "wait.timeout".
  virtual Status wait_for_clock(Millis offset, Instant deadline) = 0;
  virtual void sleep_until(Instant when) = 0;  // only retry() and start jitter call it
  virtual void random(void* into, std::size_t bytes) = 0;
  virtual std::string hostname() = 0;
  virtual unsigned effective_uid() = 0;
  virtual std::optional<std::string> environment(const std::string& name) = 0;
  virtual bool
  terminating() = 0;  // SIGTERM, SIGINT or SIGHUP arrived: waits end early with Kind::unavailable "signal.terminated"
};

// What a wait that a signal ended says.
inline tl::unexpected<Error> terminated() { return fail(Kind::unavailable, "signal.terminated", "interrupted by a signal"); }

// Is this the name of what a write() or symlink() leaves in its folder when the process is killed in the middle of it?
// ".NAME.kubejoin-" and 12 hex digits; such a file may hold what the real one would.
bool is_leftover(std::string_view name);

// The machine itself. With `root` != "/" every path is taken below it.
std::unique_ptr<Host> make_real_host(std::string root = "/");

}  // namespace kubejoin
