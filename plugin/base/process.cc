// posix_spawn, a pidfd and one poll loop.
#include "base/process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

extern char** environ;

namespace kubejoin {
namespace {

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) == 0) read = ends[0], write = ends[1];
  }
  ~Pipe() { close(read), close(write); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  static void close(int& fd) {
    if (fd >= 0) (void)::close(std::exchange(fd, -1));
  }
};

std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view name = std::string_view(*entry).substr(0, std::string_view(*entry).find('='));
    if (std::none_of(command.env.begin(), command.env.end(), [&](const auto& e) { return e.first == name; })) all.emplace_back(*entry);
  }
  for (const auto& [name, value] : command.env) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

// Reads what is there; closes at the end of file or when `limit` is reached (the child then gets SIGPIPE).
void drain(int& fd, std::string& into, std::size_t limit) {
  char buffer[1 << 14];
  const ssize_t n = ::read(fd, buffer, sizeof buffer);
  if (n > 0) into.append(buffer, std::min(static_cast<std::size_t>(n), limit - into.size()));
  if ((n <= 0 && errno != EINTR && errno != EAGAIN) || n == 0 || into.size() >= limit) Pipe::close(fd);
}

}  // namespace

Result<CommandResult> run_process(const Command& command, int wake_fd) {
  Pipe in, out, err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  for (const int signal : {SIGPIPE, SIGTERM, SIGINT, SIGHUP}) sigaddset(&defaults, signal);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> arguments = command.argv, environment = environment_of(command);
  pid_t pid = -1;
  const int why = posix_spawnp(&pid, arguments.front().c_str(), &actions, &attributes, pointers(arguments).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (why != 0)
    return fail(Kind::machine, why == ENOENT ? "process.absent" : "process.start", "unable to run " + quoted(command.argv.front()) + ": " + std::strerror(why),
                why == ENOENT ? "install it, or put it on PATH" : "");
  Pipe::close(in.read), Pipe::close(out.write), Pipe::close(err.write);
  (void)::fcntl(in.write, F_SETFL, O_NONBLOCK);
  int process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  Pipe holder;  // closes the pidfd with the pipes' care
  std::swap(holder.read, process);
  Pipe::close(process);

  CommandResult result;
  std::string_view input = command.input;
  if (input.empty()) Pipe::close(in.write);
  const Instant deadline = std::chrono::steady_clock::now() + command.timeout;
  bool ended = false, killed = false;
  const char* reason = nullptr;
  // After the end of the child its output is read to the end too, unless a grandchild holds the pipe open: then what is there is enough.
  while (!ended || ((out.read >= 0 || err.read >= 0) && !killed)) {
    pollfd fds[5] = {{out.read, POLLIN, 0}, {err.read, POLLIN, 0}, {in.write, POLLOUT, 0}, {ended ? -1 : holder.read, POLLIN, 0}, {killed ? -1 : wake_fd, POLLIN, 0}};
    const auto left = std::chrono::duration_cast<Millis>(deadline - std::chrono::steady_clock::now()).count();
    const int ready = ::poll(fds, 5, killed ? 1000 : ended ? 0 : static_cast<int>(std::clamp<long long>(left, 0, 3'600'000)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0 && ended) break;
    if ((ready == 0 || fds[4].revents != 0) && !killed) {
      reason = ready == 0 ? "process.timeout" : "signal.terminated";
      (void)::kill(-pid, SIGKILL);
      killed = true;
      continue;
    }
    if (fds[0].revents != 0) drain(out.read, result.out, command.max_output);
    if (fds[1].revents != 0) drain(err.read, result.err, command.max_output);
    if (fds[2].revents != 0) {
      const ssize_t n = ::write(in.write, input.data(), input.size());
      if (n > 0) input.remove_prefix(static_cast<std::size_t>(n));
      if (input.empty() || (n < 0 && errno != EAGAIN && errno != EINTR)) Pipe::close(in.write);
    }
    if (fds[3].revents != 0) ended = true;
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
  if (reason != nullptr)
    return fail(Kind::unavailable, reason, quoted(command.argv.front()) + (std::string_view(reason) == "process.timeout" ? " did not end in " + format_duration(command.timeout) : " was interrupted by a signal"));
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace kubejoin
