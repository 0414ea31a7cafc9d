// The machine itself: files that are whole or not there, roots that hold, waits that wake.
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <thread>

#include "../test.h"
#include "base/host.h"
#include "base/rooted.h"

using namespace kubejoin;

namespace {

Instant soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(10); }
Instant at_once() { return std::chrono::steady_clock::now(); }

std::vector<std::string> names_in(Host& host, const std::string& folder) {
  return host.list(folder).value_or(std::vector<std::string>{"?"});
}

// Puts a new eventfd in the place of each that a fork shares, so that a signal to the child does not wake its parent.
void part_eventfds() {
  for (int fd = 3; fd < 256; ++fd) {
    char kind[64];
    const ssize_t size = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), kind, sizeof kind);
    if (size < 0 || std::string_view(kind, static_cast<std::size_t>(size)).find("[eventfd]") == std::string_view::npos)
      continue;
    const Fd fresh(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    (void)::dup3(fresh.get(), fd, O_CLOEXEC);
  }
}

// Runs `body` in a child process, for what would change this one for good; its exit status.
int in_child(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    part_eventfds();
    ::_exit(body());
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

}  // namespace

TEST_CASE("a written file has its content and its mode, whatever the umask") {
  const TemporaryFolder folder;
  const auto host = make_real_host();
  for (const mode_t mask : {0U, 077U}) {
    const mode_t before = ::umask(mask);
    for (const unsigned mode : {0600U, 0644U, 0755U, 0400U}) {
      REQUIRE(outcome(host->write(folder / "a/b/file", "content", mode)) == "ok");
      CHECK(host->stat(folder / "a/b/file")->mode == mode);
    }
    (void)::umask(before);
    CHECK(host->stat(folder / "a/b")->mode == 0755);
    REQUIRE(outcome(host->remove_tree(folder / "a")) == "ok");
  }
  REQUIRE(outcome(host->write(folder / "file", "", 0600)) == "ok");
  CHECK(host->read(folder / "file", 10) == "");
  REQUIRE(outcome(host->write(folder / "file", "0123456789", 0600)) == "ok");
  CHECK(host->read(folder / "file", 10) == "0123456789");
  CHECK(id_of(host->read(folder / "file", 9)) == "file.too-large");
  CHECK(names_in(*host, folder.path()) == std::vector<std::string>{"file"});
}

TEST_CASE("a reader sees the old content or the new, never a part") {
  const TemporaryFolder folder;
  const auto host = make_real_host();
  const std::string a(20'000, 'a'), b(30'000, 'b');
  REQUIRE(outcome(host->write(folder / "file", a, 0644)) == "ok");
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < 20; ++i) (void)host->write(folder / "file", i % 2 == 0 ? b : a, 0644);
    done = true;
  });
  int torn = 0;
  while (!done) {
    const auto seen = host->read(folder / "file", 1 << 20);
    if (!seen || (*seen != a && *seen != b)) ++torn;
  }
  writer.join();
  CHECK(torn == 0);
}

TEST_CASE("a failed write leaves the old content and nothing else") {
  const TemporaryFolder folder;
  const auto host = make_real_host();
  REQUIRE(outcome(host->write(folder / "file", "old", 0644)) == "ok");
  // A full disk, played by the limit on file sizes.
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small{.rlim_cur = 10, .rlim_max = before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const Status full = host->write(folder / "file", std::string(100, 'x'), 0644);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  (void)std::signal(SIGXFSZ, handler);
  CHECK(id_of(full) == "file.write");
  CHECK(full.error().message == "unable to write \"" + folder / "file" + "\": File too large");
  CHECK(host->read(folder / "file", 100) == "old");

  REQUIRE(outcome(host->make_dirs(folder / "dir", 0700)) == "ok");
  CHECK(id_of(host->write(folder / "dir", "x", 0644)) == "file.write");
  CHECK(id_of(host->write(folder / "file/below", "x", 0644)) == "file.make");
  CHECK(host->stat(folder / "file")->mode == 0644);
  CHECK(names_in(*host, folder.path()) == std::vector<std::string>{"dir", "file"});
}

TEST_CASE("links are replaced, never followed when written, never made over a file") {
  const TemporaryFolder folder;
  const auto host = make_real_host();
  REQUIRE(outcome(host->write(folder / "target", "target", 0644)) == "ok");
  REQUIRE(outcome(host->symlink("../target", folder / "wants/link")) == "ok");
  CHECK(host->read(folder / "wants/link", 100) == "target");
  CHECK(host->stat(folder / "wants/link")->link_target == "../target");
  REQUIRE(outcome(host->symlink("other", folder / "wants/link")) == "ok");
  CHECK(host->stat(folder / "wants/link")->link_target == "other");
  REQUIRE(outcome(host->write(folder / "wants/link", "file", 0644)) == "ok");
  CHECK(host->stat(folder / "wants/link")->type == FileType::regular);
  CHECK(host->read(folder / "target", 100) == "target");
  CHECK(id_of(host->symlink("x", folder / "target")) == "file.link");
  CHECK(names_in(*host, folder / "wants") == std::vector<std::string>{"link"});
}

TEST_CASE("absent files, renames and removals") {
  const TemporaryFolder folder;
  const auto host = make_real_host();
  CHECK(id_of(host->read(folder / "no", 10)) == "file.absent");
  CHECK(id_of(host->list(folder / "no")) == "file.absent");
  CHECK(!host->stat(folder / "no"));
  CHECK(id_of(host->read(folder.path(), 10)) == "file.read");  // a folder
  CHECK(outcome(host->remove(folder / "no")) == "ok");
  CHECK(outcome(host->remove(folder / "no/deeper")) == "ok");
  CHECK(outcome(host->remove_tree(folder / "no/deeper")) == "ok");
  CHECK(id_of(host->rename(folder / "no", folder / "yes")) == "file.absent");

  REQUIRE(outcome(host->write(folder / "tree/a/b", "x", 0600)) == "ok");
  REQUIRE(outcome(host->write(folder / "outside", "x", 0600)) == "ok");
  REQUIRE(outcome(host->symlink(folder.path(), folder / "tree/a/out")) == "ok");
  CHECK(id_of(host->remove(folder / "tree")) == "file.remove");  // not empty
  CHECK(outcome(host->rename(folder / "tree/a/b", folder / "tree/c")) == "ok");
  CHECK(names_in(*host, folder / "tree/") == std::vector<std::string>{"a", "c"});
  CHECK(outcome(host->remove_tree(folder / "tree")) == "ok");
  CHECK(names_in(*host, folder.path()) == std::vector<std::string>{"outside"});
  CHECK(host->stat("/")->type == FileType::directory);
  CHECK(host->stat("/dev/null")->type == FileType::device);
  host->warm(folder / "outside");
  host->warm(folder / "no");
}

TEST_CASE("no link and no dots lead out of a root") {
  const TemporaryFolder folder;
  const auto outside = make_real_host();
  REQUIRE(outcome(outside->write(folder / "secret", "outside", 0644)) == "ok");
  REQUIRE(outcome(outside->write(folder / "root/secret", "inside", 0644)) == "ok");
  REQUIRE(outcome(outside->write(folder / "root/etc/deep/file", "inside", 0644)) == "ok");
  const std::pair<std::string, std::string> links[] = {{"/secret", "absolute"},
                                                       {"../../../../secret", "dots"},
                                                       {"/", "top"},
                                                       {folder.path(), "etc/host_path"},
                                                       {"etc/deep", "relative"},
                                                       {"loop", "loop"},
                                                       {"/absolute", "chain"},
                                                       {"/top/etc/../../secret", "winding"},
                                                       {"/secret", "etc/deep/absolute"}};
  for (const auto& [target, name] : links)
    REQUIRE(outcome(outside->symlink(target, folder / ("root/" + name))) == "ok");

  struct Row {
    std::string path, content;  // empty: an error
  };
  const Row rows[] = {{"/secret", "inside"},
                      {"/absolute", "inside"},
                      {"/dots", "inside"},
                      {"/chain", "inside"},
                      {"/winding", "inside"},
                      {"/top/top/secret", "inside"},
                      {"/../secret", "inside"},
                      {"/etc/../../../secret", "inside"},
                      {"/relative/file", "inside"},
                      {"/etc/deep/absolute", "inside"},
                      {"//etc//./deep/file", "inside"},
                      {"/etc/host_path/secret", ""},
                      {"/loop", ""},
                      {"/secret/below", ""},
                      {"/absent/../secret", ""}};
  const auto host = make_real_host(folder / "root");
  const Fd root(::open((folder / "root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (const Row& row : rows) {
    CAPTURE(row.path);
    CHECK(host->read(row.path, 100).value_or("") == row.content);
    // By hand it is as by openat2.
    const Fd walked = walk_below(root, row.path, O_RDONLY);
    char content[16];
    const ssize_t size = walked.ok() ? ::read(walked.get(), content, sizeof content) : 0;
    CHECK(std::string(content, static_cast<std::size_t>(size)) == row.content);
  }

  // Writing, too.
  REQUIRE(outcome(outside->symlink("/run", folder / "root/var/run")) == "ok");
  REQUIRE(outcome(outside->make_dirs(folder / "root/run", 0755)) == "ok");
  REQUIRE(outcome(host->write("/var/run/kubejoin/x", "x", 0644)) == "ok");
  CHECK(outside->read(folder / "root/run/kubejoin/x", 10) == "x");
  REQUIRE(outcome(host->write("/../../new", "x", 0644)) == "ok");
  CHECK(outside->stat(folder / "root/new"));
  CHECK(outcome(host->wait_for_path("/var/run/kubejoin/x", at_once())) == "ok");
  CHECK(id_of(host->wait_for_path("/etc/host_path/secret", at_once())) == "wait.timeout");
  CHECK(names_in(*outside, folder.path()) == std::vector<std::string>{"root", "secret"});
  CHECK(id_of(make_real_host(folder / "no-such-root")->read("/etc/hostname", 10)) != "ok");
}

TEST_CASE("programs are found on PATH, below the root") {
  const TemporaryFolder folder;
  const auto outside = make_real_host(), host = make_real_host(folder.path());
  CHECK(outside->find_program("sh"));
  CHECK(!outside->find_program("kubejoin-no-such-program"));
  CHECK(!host->find_program("sh"));
  REQUIRE(outcome(host->write("/usr/bin/kubelet", "", 0755)) == "ok");
  REQUIRE(outcome(host->write("/usr/bin/notes", "", 0644)) == "ok");
  CHECK(host->find_program("kubelet") == "/usr/bin/kubelet");
  CHECK(!host->find_program("notes"));
}

TEST_CASE("a path is waited for through folders that do not exist yet") {
  const TemporaryFolder folder;
  const auto host = make_real_host();
  CHECK(id_of(host->wait_for_path(folder / "a/b/c", at_once())) == "wait.timeout");
  for (int round = 0; round < 20; ++round) {
    const std::string top = folder / std::to_string(round);
    std::thread maker([&] {
      (void)host->make_dirs(top + "/b", 0755);
      (void)host->remove_tree(top);
      (void)host->write(top + "/b/c", "", 0644);
    });
    CHECK(outcome(host->wait_for_path(top + "/b/c", soon())) == "ok");
    maker.join();
  }
}

TEST_CASE("sockets: connecting, sending, listening") {
  const TemporaryFolder folder;
  const auto host = make_real_host(), rooted = make_real_host(folder.path());
  CHECK(id_of(host->can_connect_unix(folder / "s")) == "net.connect");
  CHECK(id_of(host->can_connect_unix("/" + std::string(200, 'x'))) == "net.connect");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (folder / "s").copy(address.sun_path, sizeof address.sun_path - 1);
  const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      receiver(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  CHECK(id_of(host->can_connect_unix(folder / "s")) == "net.connect");  // nobody listens
  REQUIRE(::listen(listener.get(), 1) == 0);
  CHECK(outcome(host->can_connect_unix(folder / "s")) == "ok");
  CHECK(outcome(rooted->can_connect_unix("/s")) == "ok");
  CHECK(id_of(rooted->can_connect_unix(folder / "s")) == "net.connect");

  (folder / "d").copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(receiver.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  CHECK(outcome(host->send_datagram(folder / "d", "READY=1")) == "ok");
  char buffer[32];
  CHECK(::recv(receiver.get(), buffer, sizeof buffer, 0) == 7);
  CHECK(id_of(host->send_datagram("@kubejoin-nobody", "x")) == "net.send");

  for (const int family : {AF_INET, AF_INET6}) {
    const Fd holder(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage any{};
    any.ss_family = static_cast<sa_family_t>(family);
    if (family == AF_INET)
      reinterpret_cast<sockaddr_in*>(&any)->sin_addr.s_addr =
          htonl(INADDR_LOOPBACK);  // one address is enough to be in the way
    socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    if (!holder.ok()) continue;  // a kernel without IPv6
    REQUIRE(::bind(holder.get(), reinterpret_cast<sockaddr*>(&any), size) == 0);
    REQUIRE(::listen(holder.get(), 1) == 0);
    REQUIRE(::getsockname(holder.get(), reinterpret_cast<sockaddr*>(&any), &size) == 0);
    const std::uint16_t port =
        ntohs(reinterpret_cast<sockaddr_in*>(&any)->sin_port);  // sin6_port stands in the same place
    const Status busy = host->can_listen(port);
    CHECK(id_of(busy) == "net.port-in-use");
    CHECK(busy.error().kind == Kind::unfit);
  }
}

TEST_CASE("names resolve by the hosts file; addresses are themselves") {
  const auto host = make_real_host();
  CHECK(host->resolves("127.0.0.1", Millis(0)));
  CHECK(host->resolves("::1", Millis(0)));
  CHECK(host->resolves("localhost", Millis(1000)));
  CHECK(!host->resolves("kubejoin.invalid", Millis(50)));  // RFC 2606
}

TEST_CASE("a route is waited for") {
  CHECK(outcome(make_real_host()->wait_for_route("127.0.0.1", at_once())) == "ok");
  CHECK(in_child([] {
          // A network namespace of its own has no route at all, until its loopback device gets an address.
          if (::unshare(CLONE_NEWNET) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return 10;
          const auto host = make_real_host();
          for (const std::string address : {"10.1.2.3", "fd00::1", "api.example.com", ""}) {
            if (id_of(host->wait_for_route(address, at_once())) != "net.no-route") return 11;
          }
          std::thread network([] {
            const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
            ifreq request{};
            std::strcpy(request.ifr_name, "lo");
            request.ifr_flags = IFF_UP;
            (void)::ioctl(socket.get(), SIOCSIFFLAGS, &request);
            auto* address = reinterpret_cast<sockaddr_in*>(&request.ifr_addr);
            *address = {.sin_family = AF_INET, .sin_port = 0, .sin_addr = {inet_addr("10.1.2.3")}, .sin_zero = {}};
            (void)::ioctl(socket.get(), SIOCSIFADDR, &request);
          });
          const Status status = host->wait_for_route("10.1.2.3", soon());
          network.join();
          return status ? 0 : 12;
        }) == 0);
}

TEST_CASE("a signal to end wakes every wait, and is remembered") {
  CHECK(in_child([] {
          (void)std::signal(SIGPIPE, SIG_DFL);
          const auto host = make_real_host();
          if (host->terminating()) return 10;
          (void)::raise(SIGTERM);
          if (!host->terminating()) return 11;
          host->sleep_until(soon() + std::chrono::hours(1));
          if (id_of(host->wait_for_path("/no/such/path", soon())) != "signal.terminated") return 12;
          if (id_of(host->run({.argv = {"true"}})) != "signal.terminated") return 13;
          if (id_of(host->wait_for_clock(std::chrono::duration_cast<Millis>(host->now().time_since_epoch() - host->monotonic().time_since_epoch()), soon())) != "signal.terminated") return 16;
          if (id_of(host->open_http({.use_proxy = false})->run_one({.url = "http://127.0.0.1:1/"})) == "ok") return 14;
          (void)::raise(SIGPIPE);
          return host->terminating() ? 0 : 15;
        }) == 0);
}

TEST_CASE("a clock that is set is waited for") {
  const auto host = make_real_host();
  const auto offset = std::chrono::duration_cast<Millis>(host->now().time_since_epoch() - host->monotonic().time_since_epoch());
  CHECK(id_of(host->wait_for_clock(offset, at_once() + Millis(5))) == "wait.timeout");
  CHECK(id_of(host->wait_for_clock(offset + Millis(900), at_once())) == "wait.timeout");
  // Set before the wait began: seen at once.
  CHECK(outcome(host->wait_for_clock(offset + std::chrono::hours(3), soon() + std::chrono::hours(1))) == "ok");
  CHECK(outcome(host->wait_for_clock(offset - std::chrono::seconds(2), soon() + std::chrono::hours(1))) == "ok");
}

TEST_CASE("a lock is held by one process, whose end is waited for") {
  const TemporaryFolder folder;
  const std::string path = folder / "run/kubejoin/lock";
  const auto host = make_real_host();
  const mode_t before = ::umask(0);
  auto lock = host->lock(path, at_once());
  (void)::umask(before);
  REQUIRE(outcome(lock) == "ok");
  CHECK(host->stat(path)->mode == 0600U);
  // Programs that are run do not inherit it.
  const auto seen = host->run({.argv = {"sh", "-c", "ls -l /proc/self/fd"}});
  REQUIRE(outcome(seen) == "ok");
  CHECK(seen->out.find(path) == std::string::npos);

  const std::string holder = "another kubejoin is at work on this machine: process " + std::to_string(::getpid());
  CHECK(in_child([&] {
          const auto other = make_real_host();
          const auto mine = other->lock(path, at_once() + Millis(20));
          return id_of(mine) == "lock.held" && mine.error().message == holder && mine.error().kind == Kind::unavailable ? 0 : 10;
        }) == 0);
  lock->reset();
  CHECK(in_child([&] { return make_real_host()->lock(path, at_once()) ? 0 : 10; }) == 0);

  // A process that holds it and is killed: its end wakes the waiter.
  int told[2];
  REQUIRE(::pipe2(told, O_CLOEXEC) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const auto mine = make_real_host()->lock(path, at_once());
    (void)!::write(told[1], mine ? "y" : "n", 1);
    (void)::pause();
    ::_exit(0);
  }
  char has = 'n';
  REQUIRE(::read(told[0], &has, 1) == 1);
  REQUIRE(has == 'y');
  CHECK(id_of(host->lock(path, at_once() + Millis(20))) == "lock.held");
  std::thread killer([&] {
    std::this_thread::sleep_for(Millis(100));
    (void)::kill(pid, SIGKILL);
  });
  const Instant began = at_once();
  CHECK(outcome(host->lock(path, soon())) == "ok");
  CHECK(at_once() - began >= Millis(90));
  killer.join();
  CHECK(::waitpid(pid, nullptr, 0) == pid);
  (void)::close(told[0]);
  (void)::close(told[1]);

  // Where no lock can be made is no other process.
  CHECK(id_of(host->lock("/proc/kubejoin/lock", at_once())).starts_with("file."));
}

TEST_CASE("clocks, chance and self") {
  const auto host = make_real_host();
  std::string a(32, '\0'), b(32, '\0');
  host->random(a.data(), a.size());
  host->random(b.data(), b.size());
  CHECK(a != b);
  CHECK(!host->hostname().empty());
  CHECK(host->effective_uid() == ::geteuid());
  CHECK(!host->environment("KUBEJOIN_NO_SUCH_VARIABLE"));
  const Instant when = host->monotonic() + Millis(5);
  host->sleep_until(when);
  CHECK(host->monotonic() >= when);
}
