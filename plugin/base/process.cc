// posix_spawn, a pidfd and one poll loop.
#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/fd.h"
#include "base/text.h"

extern char** environ;

namespace kubejoin {
namespace {

constexpr Millis kLookAgain{20};         // where the kernel has no pidfd (before 5.3)
constexpr Millis kDeathPatience{5'000};  // a killed process that hangs in the kernel is left behind

struct Pipe {
  Fd read, write;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    read = Fd(ends[0]);
    write = Fd(ends[1]);
  }
};

class SpawnActions {
 public:
  SpawnActions() { posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  void give(const Fd& ours, int theirs) { posix_spawn_file_actions_adddup2(&actions_, ours.get(), theirs); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

// Its own process group, so that it can be killed with all its children, and the signals as a program expects them.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    for (const int signal : {SIGPIPE, SIGTERM, SIGINT, SIGHUP}) sigaddset(&defaults, signal);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &defaults);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view whole = *entry;
    const std::string_view name = whole.substr(0, whole.find('='));
    if (std::none_of(command.env.begin(), command.env.end(), [&](const auto& e) { return e.first == name; }))
      all.emplace_back(whole);
  }
  for (const auto& [name, value] : command.env) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

// The child and our ends of its pipes.
class Child {
 public:
  explicit Child(const Command& command) : command_(command) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // 0 or why it does not run.
  int start() {
    Pipe in, out, err;
    if (!in.read.ok() || !out.read.ok() || !err.read.ok()) return errno;
    SpawnActions actions;
    actions.give(in.read, STDIN_FILENO);
    actions.give(out.write, STDOUT_FILENO);
    actions.give(err.write, STDERR_FILENO);
    const SpawnAttributes attributes;
    std::vector<std::string> arguments = command_.argv, environment = environment_of(command_);
    const int why = posix_spawnp(&pid_, arguments.front().c_str(), actions.get(), attributes.get(),
                                 pointers(arguments).data(), pointers(environment).data());
    if (why != 0) return why;
    process_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    in_ = std::move(in.write);
    out_ = std::move(out.read);
    err_ = std::move(err.read);
    (void)::fcntl(in_.get(), F_SETFL, O_NONBLOCK);
    if (input_.empty()) (void)in_.close();
    return 0;
  }

  // Serves the pipes until the child has ended and its output is read. Output that a grandchild still holds open is not
  // waited for. Nothing, or the id of why it was cut off.
  std::string_view attend(Instant deadline, int wake_fd) {
    for (;;) {
      const bool has_ended = is_over();
      const Millis left = std::chrono::ceil<Millis>(deadline - std::chrono::steady_clock::now());
      if (!has_ended && left <= Millis{0}) return "process.timeout";
      if (has_ended && !out_.ok() && !err_.ok()) return {};
      pollfd fds[] = {{out_.get(), POLLIN, 0},
                      {err_.get(), POLLIN, 0},
                      {in_.get(), POLLOUT, 0},
                      {has_ended ? -1 : process_.get(), POLLIN, 0},
                      {wake_fd, POLLIN, 0}};
      const Millis patience = has_ended ? Millis{0} : process_.ok() ? left : std::min(left, kLookAgain);
      const int ready =
          ::poll(fds, std::size(fds), static_cast<int>(std::min<Millis::rep>(patience.count(), 3'600'000)));
      if (ready == 0 && has_ended) return {};
      if (ready <= 0) continue;
      if (fds[4].revents != 0 && !has_ended) return "signal.terminated";
      if (fds[0].revents != 0) drain(out_, result_.out);
      if (fds[1].revents != 0) drain(err_, result_.err);
      if (fds[2].revents != 0) feed();
    }
  }

  void kill_group() {
    (void)::kill(-pid_, SIGKILL);
    const Instant deadline = std::chrono::steady_clock::now() + kDeathPatience;
    while (!is_over() && std::chrono::steady_clock::now() < deadline) {
      pollfd process{process_.get(), POLLIN, 0};
      (void)::poll(&process, 1, static_cast<int>(kLookAgain.count()));
    }
  }

  CommandResult result() {
    result_.status = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
    return std::move(result_);
  }

 private:
  // Reaped when it has ended.
  bool is_over() {
    if (pid_ > 0 && !is_reaped_) is_reaped_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
    return is_reaped_;
  }

  // What is beyond the limit is read and dropped: a chatty child is not stopped by a full or a broken pipe.
  void drain(Fd& from, std::string& into) const {
    char buffer[1 << 14];
    const ssize_t n = ::read(from.get(), buffer, sizeof buffer);
    if (n > 0) into.append(buffer, std::min(static_cast<std::size_t>(n), command_.max_output - into.size()));
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) (void)from.close();
  }

  void feed() {
    const ssize_t n = ::write(in_.get(), input_.data(), input_.size());
    if (n > 0) input_.remove_prefix(static_cast<std::size_t>(n));
    if (input_.empty() || (n < 0 && errno != EAGAIN && errno != EINTR)) (void)in_.close();
  }

  const Command& command_;
  std::string_view input_ = command_.input;
  pid_t pid_ = -1;
  Fd process_, in_, out_, err_;
  int status_ = 0;
  bool is_reaped_ = false;
  CommandResult result_;
};

}  // namespace

Result<CommandResult> run_process(const Command& command, int wake_fd) {
  if (command.argv.empty()) return fail(Kind::internal, "process.start", "unable to run a command without a name");
  const std::string name = quoted(command.argv.front());
  pollfd wake{wake_fd, POLLIN, 0};
  if (::poll(&wake, 1, 0) > 0)
    return fail(Kind::unavailable, "signal.terminated", "unable to run " + name + ": interrupted by a signal");

  const Instant deadline = std::chrono::steady_clock::now() + command.timeout;
  Child child(command);
  if (const int why = child.start(); why != 0) {
    const bool is_absent = why == ENOENT;
    return fail(Kind::machine, is_absent ? "process.absent" : "process.start",
                "unable to run " + name + ": " + std::strerror(why), is_absent ? "install it, or put it on PATH" : "");
  }
  const std::string_view cut_off = child.attend(deadline, wake_fd);
  if (cut_off.empty()) return child.result();
  child.kill_group();
  return fail(Kind::unavailable, cut_off,
              "unable to run " + name + ": " +
                  (cut_off == "process.timeout" ? "it did not end in " + format_duration(command.timeout)
                                                : "interrupted by a signal"));
}

}  // namespace kubejoin
