// FakeHost: a machine made of maps. It records every touch, answers what a test put in, and can fail the n-th touch.
//
//   FakeHost host;
//   host.put("/etc/hostname", "node-1\n");
//   host.answer("GET /version", {.body = R"({"gitVersion":"v1.37.2"})"});
//   host.answer_command("systemctl start kubelet", {.status = 0});
//   ... run the code under test ...
//   CHECK(host.touched("write /etc/kubernetes/kubelet.conf 0600"));
//   CHECK(host.places_that_show("abcdef.0123456789abcdef").empty());
//
// Every step of some code, failed in turn:
//   for (int n = 1;; ++n) {
//     FakeHost host; prepare(host); host.fail_at(n);
//     if (run(host)) { CHECK(host.fallible_touches() < n); break; }   // n is past the last touch
//     ... check what a failure at n left behind ...
//   }
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>

#include "base/host.h"

namespace kubejoin {

class FakeHost : public Host {
 public:
  struct File {
    std::string content{};
    unsigned mode = 0644;
    FileType type = FileType::regular;
    std::string link_target{};
  };

  // What a request gets. `lines` go to on_line of a streaming request, which then ends with the response, or, when it
  // `hangs`, with "http.timeout" when the request's time is over on the fake's clock. An `error` stands for a failed
  // exchange. What `takes` longer than there is time is "http.timeout", too.
  struct Answer {
    int status = 200;
    std::map<std::string, std::string> headers{};  // names in lower case
    std::string body{};
    std::vector<std::string> lines{};
    bool hangs = false;
    Millis takes{0};
    std::optional<Error> error{};
    std::function<void()> before{};  // called first: change the world as the server would
  };

  // --- the world, as the test finds it ---
  std::map<std::string, File> files;  // absolute path -> file; folders exist by what is in them
  std::set<std::string> programs;     // names on PATH; run() without a canned result succeeds for these
  std::map<std::string, std::string> variables;
  std::map<std::string, Millis> appears_in;  // path -> when wait_for_path finds it, from the start of the wait
  std::set<std::uint16_t> busy_ports;
  std::set<std::string> listening_sockets;
  std::set<std::string> names;                // resolves()
  std::optional<Millis> route_in{Millis(0)};  // when wait_for_route finds a route; nothing: never
  std::optional<Millis> lock_held_for;        // by another process, from the first lock() on; its end changes the world:
  std::function<void()> lock_ends;
  std::optional<Millis> clock_set_in;         // when somebody sets the clock, from the start of wait_for_clock; nothing: never
  Millis clock_set_by{0};                     // and how far it is moved forward
  std::optional<Error> distrust;              // what HttpSession::trust() answers
  std::map<std::string, Error> distrusted;    // the same for URLs that begin so
  std::string host_name = "node-1";
  unsigned uid = 0;
  bool is_terminating = false;
  WallTime wall{std::chrono::sys_days{std::chrono::year{2026} / 11 / 24}};
  Instant instant{std::chrono::seconds(100)};

  void put(const std::string& path, std::string content, unsigned mode = 0644);
  void put_folder(const std::string& path, unsigned mode = 0755);
  void put_link(const std::string& path, const std::string& target);
  void put_socket(const std::string& path);
  void advance(Millis by);  // both clocks

  // A queue a key; its last answer repeats. `key`: "METHOD URL" with or without its query, "METHOD /path?query" or
  // "METHOD /path", the most exact wins. Without one, `on_request` is asked, and without that the answer is 404.
  void answer(const std::string& key, Answer answer);
  std::function<Answer(const HttpRequest&)> on_request;
  // `key`: the whole argv joined by blanks, or argv[0] alone. Without one, `on_command` is asked, then `programs`.
  void answer_command(const std::string& key, Result<CommandResult> result);
  std::function<Result<CommandResult>(const Command&)> on_command;

  // The n-th fallible call from now (reads and requests count too; from 1) changes nothing and fails: a request with
  // Kind::unavailable "http.unreachable", all else with Kind::machine "fake.failed".
  void fail_at(int n) { fail_in_ = n; }
  // The same call throws Death: the process ends there, and what its destructors do is no touch of the machine.
  struct Death {};
  void die_at(int n) { die_in_ = n; }
  int fallible_touches() const { return fallible_; }

  // --- what happened ---
  // In order: "write /etc/x 0600", "make_dirs /a 0755", "symlink /a -> /b", "rename /a /b", "remove /a", "remove_tree
  // /a", "run kubelet --version", "GET https://host/path", "trust", "wait_for_path /a", "wait_for_route 10.0.0.1", "wait_for_clock", "lock /a",
  // "send @socket READY=1", "sleep 1.5s"; reads go to `reads`.
  std::vector<std::string> touches;
  std::vector<std::string> reads;
  std::vector<HttpRequest> requests;  // as they were sent
  std::vector<HttpOptions> sessions;  // as they were opened
  std::vector<Command> commands;

  bool touched(const std::string& touch) const;
  int count_touches(const std::string& prefix) const;
  const std::string& content(const std::string& path) const;  // fails the test when absent
  // Where a secret can be seen by others: touches (argv, URLs), environments of commands, files that group or world may
  // read.
  std::vector<std::string> places_that_show(const std::string& secret) const;

  // --- Host ---
  Result<std::string> read(const std::string& path, std::size_t max_bytes = 4 << 20) override;
  std::optional<FileInfo> stat(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& dir) override;
  Status write(const std::string& path, std::string_view content, unsigned mode) override;
  Status make_dirs(const std::string& path, unsigned mode) override;
  Status symlink(const std::string& target, const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status settle(const std::string& path) override { return touch("settle " + path); }
  Status remove_tree(const std::string& path) override;
  Status wait_for_path(const std::string& path, Instant deadline) override;
  Result<std::unique_ptr<Lock>> lock(const std::string& path, Instant deadline) override;
  void warm(const std::string&) override {}
  Result<CommandResult> run(const Command& command) override;
  std::optional<std::string> find_program(const std::string& name) override;
  std::unique_ptr<HttpSession> open_http(HttpOptions options) override;
  Status can_listen(std::uint16_t port) override;
  Status can_connect_unix(const std::string& path) override;
  Status send_datagram(const std::string& unix_path, std::string_view data) override;
  bool resolves(const std::string& name, Millis timeout) override;
  Status wait_for_route(const std::string& address, Instant deadline) override;
  WallTime now() override { return wall; }
  Instant monotonic() override { return instant; }
  Status wait_for_clock(Millis offset, Instant deadline) override;
  void sleep_until(Instant when) override;
  void random(void* into, std::size_t bytes) override;  // the same bytes in every run
  std::string hostname() override { return host_name; }
  unsigned effective_uid() override { return uid; }
  std::optional<std::string> environment(const std::string& name) override;
  bool terminating() override { return is_terminating; }

 private:
  friend class FakeSession;
  Status touch(std::string what, bool is_request = false);  // records, counts, and fails when it is this one's turn
  Status count(bool is_request = false);
  Answer take_answer(const HttpRequest& request);
  Status wait_until(Instant when, std::optional<Instant> happens);

  std::map<std::string, std::deque<Answer>> answers_;
  std::map<std::string, std::deque<Result<CommandResult>>> results_;
  int fail_in_ = 0, die_in_ = 0;
  int fallible_ = 0;
  std::uint64_t chance_ = 0x9E3779B97F4A7C15;
};

}  // namespace kubejoin
