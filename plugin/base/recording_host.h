// DryRunHost: reads the world, tells what would be changed, changes nothing.
#pragma once

#include <functional>
#include <map>

#include "base/host.h"

namespace kubejoin {

// What reads passes through to `below`, which must outlive it: file reads, GETs, and what is marked `changes_nothing`.
// All else becomes a line for `tell`: "would write /var/lib/kubelet/config.yaml (0644, 812 bytes)"; what is read
// afterwards is seen as if it had been done. A POST or PUT that was not sent is answered with its own body, as an API
// server answers with the object. A streaming request is not sent, as what it would wait for was not asked for:
// Kind::machine "http.dry-run". A command that was not run succeeded silently.
class DryRunHost : public Host {
 public:
  using Tell = std::function<void(const std::string& line)>;
  DryRunHost(Host& below, Tell tell) : below_(below), tell_(std::move(tell)) {}

  Result<std::string> read(const std::string& path, std::size_t max_bytes = 4 << 20) override;
  std::optional<FileInfo> stat(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& dir) override;
  Status write(const std::string& path, std::string_view content, unsigned mode) override;
  Status make_dirs(const std::string& path, unsigned mode) override;
  Status symlink(const std::string& target, const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status remove_tree(const std::string& path) override;
  Status settle(const std::string&) override { return {}; }
  Status wait_for_path(const std::string& path, Instant deadline) override;
  Result<std::unique_ptr<Lock>> lock(const std::string&, Instant) override { return std::make_unique<Lock>(); }
  void warm(const std::string&) override {}
  Result<CommandResult> run(const Command& command) override;
  std::optional<std::string> find_program(const std::string& name) override { return below_.find_program(name); }
  std::unique_ptr<HttpSession> open_http(HttpOptions options) override;
  Status can_listen(std::uint16_t port) override { return below_.can_listen(port); }
  Status can_connect_unix(const std::string& path) override { return below_.can_connect_unix(path); }
  Status send_datagram(const std::string&, std::string_view) override { return {}; }
  bool resolves(const std::string& name, Millis timeout) override { return below_.resolves(name, timeout); }
  Status wait_for_route(const std::string& address, Instant deadline) override {
    return below_.wait_for_route(address, deadline);
  }
  WallTime now() override { return below_.now(); }
  Instant monotonic() override { return below_.monotonic(); }
  Status wait_for_clock(Millis offset, Instant deadline) override { return below_.wait_for_clock(offset, deadline); }
  void sleep_until(Instant when) override { below_.sleep_until(when); }
  void random(void* into, std::size_t bytes) override { below_.random(into, bytes); }
  std::string hostname() override { return below_.hostname(); }
  unsigned effective_uid() override { return below_.effective_uid(); }
  std::optional<std::string> environment(const std::string& name) override { return below_.environment(name); }
  bool terminating() override { return below_.terminating(); }

 private:
  // What would stand at a path now; its content may be a key.
  struct Entry {
    bool is_there = true;
    FileInfo info{};
    Secret content{};
  };
  const Entry* changed(const std::string& path) const;  // by name or by a removed tree above it

  Host& below_;
  Tell tell_;
  std::map<std::string, Entry> changes_;
};

}  // namespace kubejoin
