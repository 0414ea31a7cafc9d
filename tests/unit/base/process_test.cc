// Child processes: what goes in, what comes out, how they end.
#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <csignal>
#include <thread>

#include "../test.h"
#include "base/fd.h"

using namespace kubejoin;

namespace {

Result<CommandResult> shell(const std::string& script, const std::string& input = {}) {
  return run_process({.argv = {"sh", "-c", script}, .input = input}, -1);
}

}  // namespace

TEST_CASE("output, errors and the exit status come back") {
  const auto result = shell("echo out; echo err >&2; exit 3");
  REQUIRE(outcome(result) == "ok");
  CHECK(result->out == "out\n");
  CHECK(result->err == "err\n");
  CHECK(result->status == 3);
  CHECK(shell("kill -KILL $$")->status == 128 + SIGKILL);
}

TEST_CASE("the arguments are no shell's, the environment is ours and what was added") {
  CHECK(run_process({.argv = {"printf", "%s|", "$HOME", "a b", "`x`"}}, -1)->out == "$HOME|a b|`x`|");
  REQUIRE(::setenv("KUBEJOIN_TEST", "old", 1) == 0);
  CHECK(run_process({.argv = {"sh", "-c", "echo $KUBEJOIN_TEST $KUBEJOIN_MORE"},
                     .env = {{"KUBEJOIN_TEST", "new"}, {"KUBEJOIN_MORE", "x"}}},
                    -1)
            ->out == "new x\n");
  CHECK(shell("echo $KUBEJOIN_TEST")->out == "old\n");
  REQUIRE(::unsetenv("KUBEJOIN_TEST") == 0);
}

TEST_CASE("input and output far beyond a pipe's room do not lock up") {
  const std::string large(700'000, 'x');
  const auto result = shell("cat; cat /dev/zero | head -c 300000 >&2", large);
  REQUIRE(outcome(result) == "ok");
  CHECK(result->out == large);
  CHECK(result->err.size() == 300'000);
  CHECK(shell("true", large)->status == 0);  // it does not read: no SIGPIPE of ours
  CHECK(shell("cat")->out.empty());          // no input is an end of file, not our terminal
}

TEST_CASE("output beyond the limit is dropped, and the child lives on") {
  const auto result = run_process({.argv = {"sh", "-c", "head -c 500000 /dev/zero; exit 5"}, .max_output = 1000}, -1);
  REQUIRE(outcome(result) == "ok");
  CHECK(result->out.size() == 1000);
  CHECK(result->status == 5);
}

TEST_CASE("what cannot run says why") {
  const auto absent = run_process({.argv = {"kubejoin-no-such-program"}}, -1);
  CHECK(id_of(absent) == "process.absent");
  CHECK(absent.error().message == "unable to run \"kubejoin-no-such-program\": No such file or directory");
  CHECK(id_of(run_process({.argv = {"/etc/passwd"}}, -1)) == "process.start");
  CHECK(id_of(run_process({}, -1)) == "process.start");
}

TEST_CASE("time up: the child is killed") {
  const auto result = run_process({.argv = {"sleep", "1000"}, .timeout = Millis(20)}, -1);
  CHECK(id_of(result) == "process.timeout");
  CHECK(result.error().message == "unable to run \"sleep\": it did not end in 20ms");
}

TEST_CASE("a signal kills the child with its children") {
  const TemporaryFolder folder;
  const std::string fifo = folder / "alive";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const Fd reader(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)), wake(::eventfd(0, EFD_CLOEXEC));
  // The grandchild tells that it is there, and keeps the FIFO open as long as it lives.
  std::thread when_alive([&] {
    pollfd fd{reader.get(), POLLIN, 0};
    (void)::poll(&fd, 1, 10'000);
    (void)::eventfd_write(wake.get(), 1);
  });
  const auto result =
      run_process({.argv = {"sh", "-c", "(echo here; exec sleep 1000) > " + fifo + " & wait"}}, wake.get());
  when_alive.join();
  CHECK(id_of(result) == "signal.terminated");
  char buffer[16];
  CHECK(::read(reader.get(), buffer, sizeof buffer) == 5);
  pollfd end{reader.get(), POLLIN, 0};
  REQUIRE(::poll(&end, 1, 10'000) == 1);
  CHECK(::read(reader.get(), buffer, sizeof buffer) == 0);  // the last writer is gone

  CHECK(id_of(run_process({.argv = {"true"}}, wake.get())) == "signal.terminated");  // and nothing is started any more
}

TEST_CASE("a daemon that keeps the output open is not waited for") {
  const auto result =
      run_process({.argv = {"sh", "-c", "echo started; sleep 1000 & echo $! >&2"}, .timeout = Millis(10'000)}, -1);
  REQUIRE(outcome(result) == "ok");
  CHECK(result->out == "started\n");
  CHECK(::kill(std::stoi(result->err), SIGKILL) == 0);
}
