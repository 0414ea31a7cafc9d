// A machine made of a few files, programs and canned HTTP answers, for the tests of sources; its clock moves only when somebody sleeps.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

#include "base/host.h"
#include "base/text.h"
#include "source/source.h"

namespace kubejoin {

struct Canned {
  int status = 200;  // 0: nobody there
  std::string body = {};
  std::map<std::string, std::string> headers = {};
};

class ScriptedHost : public Host {
 public:
  std::map<std::string, std::string> files;                   // path -> content
  std::map<std::string, std::string> links;                   // path -> target
  std::map<std::string, std::string> variables;               // environment
  std::map<std::string, CommandResult> programs;              // "argv joined by blanks" -> result
  std::map<std::string, std::vector<Canned>> http;            // "GET url" -> answers in turn, the last for ever
  std::vector<std::string> requests;                          // "GET url"
  std::vector<std::pair<std::string, std::string>> headers;   // of every request, in turn
  std::vector<HttpOptions> sessions;
  std::vector<Millis> sleeps;
  Instant clock{};
  bool has_route = true;

  Instant soon() const { return clock + Millis(60'000); }

  Result<std::string> read(const std::string& path, std::size_t max_bytes) override {
    const auto link = links.find(path);
    const auto file = files.find(link == links.end() ? path : link->second);
    if (file == files.end()) return fail(Kind::machine, "file.absent", "unable to read " + path);
    if (file->second.size() > max_bytes) return fail(Kind::machine, "file.too-large", path + " is too large");
    return file->second;
  }
  std::optional<FileInfo> stat(const std::string& path) override {
    if (const auto link = links.find(path); link != links.end())
      return FileInfo{.type = FileType::symlink, .mode = 0777, .uid = 0, .size = 0, .link_target = link->second};
    if (const auto file = files.find(path); file != files.end())
      return FileInfo{.type = FileType::regular, .mode = 0600, .uid = 0, .size = file->second.size(), .link_target = {}};
    if (list(path)) return FileInfo{.type = FileType::directory, .mode = 0755, .uid = 0, .size = 0, .link_target = {}};
    return std::nullopt;
  }
  Result<std::vector<std::string>> list(const std::string& dir) override {
    std::vector<std::string> names;
    const auto take = [&](const std::string& path) {
      if (!path.starts_with(dir + "/")) return;
      const std::string name = split(path.substr(dir.size() + 1), '/').front();
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    };
    for (const auto& [path, content] : files) take(path);
    for (const auto& [path, target] : links) take(path);
    if (names.empty()) return fail(Kind::machine, "file.absent", "unable to list " + dir);
    std::sort(names.begin(), names.end());
    return names;
  }
  Result<CommandResult> run(const Command& command) override {
    const auto program = programs.find(join(command.argv, " "));
    if (program == programs.end()) return CommandResult{.status = 1, .out = {}, .err = "No value found"};
    return program->second;
  }
  std::optional<std::string> find_program(const std::string& name) override {
    for (const auto& [line, result] : programs)
      if (line.starts_with(name + " ")) return "/usr/bin/" + name;
    return std::nullopt;
  }
  std::unique_ptr<HttpSession> open_http(HttpOptions options) override;
  Status wait_for_route(const std::string& address, Instant) override {
    if (has_route) return {};
    return fail(Kind::unavailable, "wait.timeout", "no route to " + address);
  }
  Instant monotonic() override { return clock; }
  void sleep_until(Instant when) override {
    sleeps.push_back(std::chrono::duration_cast<Millis>(when - clock));
    clock = when;
  }
  void random(void* into, std::size_t bytes) override { std::fill_n(static_cast<unsigned char*>(into), bytes, 0xff); }  // the longest delay
  std::optional<std::string> environment(const std::string& name) override {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  }
  bool terminating() override { return false; }

  // A source reads. All that would change the machine fails the test.
  Status write(const std::string& path, std::string_view, unsigned) override { return forbidden("write " + path); }
  Status make_dirs(const std::string& path, unsigned) override { return forbidden("make " + path); }
  Status symlink(const std::string&, const std::string& path) override { return forbidden("link " + path); }
  Status rename(const std::string& from, const std::string&) override { return forbidden("rename " + from); }
  Status remove(const std::string& path) override { return forbidden("remove " + path); }
  Status remove_tree(const std::string& path) override { return forbidden("remove " + path); }
  Status wait_for_path(const std::string& path, Instant) override { return forbidden("wait for " + path); }
  void warm(const std::string&) override {}
  Status can_listen(std::uint16_t) override { return forbidden("listen"); }
  Status can_connect_unix(const std::string& path) override { return forbidden("connect to " + path); }
  Status send_datagram(const std::string& path, std::string_view) override { return forbidden("send to " + path); }
  bool resolves(const std::string&, Millis) override { return false; }
  WallTime now() override { return {}; }
  std::string hostname() override { return "node"; }
  unsigned effective_uid() override { return 0; }

 private:
  static Status forbidden(const std::string& what) {
    FAIL_CHECK("a source must not " << what);
    return fail(Kind::internal, "test.forbidden", what);
  }
};

class ScriptedSession : public HttpSession {
 public:
  explicit ScriptedSession(ScriptedHost& host) : host_(host) {}
  std::vector<Result<HttpResponse>> run(std::vector<HttpRequest> requests) override {
    std::vector<Result<HttpResponse>> answers;
    bool stopped = false;
    for (const auto& request : requests) {
      answers.push_back(stopped ? HttpResponse{.status = 0, .headers = {}, .body = {}, .stopped = true} : answer(request));
      if (!stopped && request.on_done) stopped = request.on_done(answers.back()) == Flow::stop;
    }
    return answers;
  }
  Status trust(std::string_view) override { return {}; }
  const PeerChain& peer() const override { return peer_; }
  int connections() const override { return 1; }

 private:
  Result<HttpResponse> answer(const HttpRequest& request) {
    const std::string what = request.method + " " + request.url;
    host_.requests.push_back(what);
    host_.headers.insert(host_.headers.end(), request.headers.begin(), request.headers.end());
    auto& canned = host_.http[what];
    if (canned.empty()) canned.push_back({.status = request.url.find("169.254") == std::string::npos ? 0 : 404});
    const Canned now = canned.front();
    if (canned.size() > 1) canned.erase(canned.begin());
    if (now.status == 0) return fail(Kind::unavailable, "http.unreachable", "nobody answers at " + request.url);
    if (now.body.size() > request.max_bytes) return fail(Kind::machine, "http.too-large", "the answer of " + request.url + " is too large");
    return HttpResponse{.status = now.status, .headers = now.headers, .body = now.body};
  }
  ScriptedHost& host_;
  PeerChain peer_;
};

inline std::unique_ptr<HttpSession> ScriptedHost::open_http(HttpOptions options) {
  sessions.push_back(options);
  return std::make_unique<ScriptedSession>(*this);
}

inline std::string file_of_test(const std::string& name) {
  std::ifstream file("tests/" + name, std::ios::binary);
  REQUIRE_MESSAGE(file.good(), "unable to open tests/" << name << ": run the tests in the project's root");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace kubejoin
