// A dry run is a Host: no phase knows of it.
#include "base/recording_host.h"

#include <cstdio>

#include "base/text.h"

namespace kubejoin {
namespace {

class DryRunSession : public HttpSession {
 public:
  DryRunSession(std::unique_ptr<HttpSession> below, std::function<void(const std::string&)> tell) : below_(std::move(below)), tell_(std::move(tell)) {}

  std::vector<Result<HttpResponse>> run(std::vector<HttpRequest> requests) override {
    std::vector<HttpRequest> harmless;
    for (const HttpRequest& request : requests) {
      tell_((request.method == "GET" ? "sends " : "would send ") + request.method + " " + printable(request.url));
      if (request.method == "GET") harmless.push_back(request);
    }
    auto passed = below_->run(std::move(harmless));
    std::vector<Result<HttpResponse>> answers;
    std::size_t next = 0;
    for (const HttpRequest& request : requests) {
      if (request.method == "GET") {
        answers.push_back(std::move(passed[next++]));
        continue;
      }
      HttpResponse accepted;
      accepted.status = 200;
      answers.emplace_back(std::move(accepted));
    }
    return answers;
  }
  Status trust(std::string_view ca_pem) override { return below_->trust(ca_pem); }
  const PeerChain& peer() const override { return below_->peer(); }
  int connections() const override { return below_->connections(); }

 private:
  std::unique_ptr<HttpSession> below_;
  std::function<void(const std::string&)> tell_;
};

}  // namespace

Result<std::string> DryRunHost::read(const std::string& path, std::size_t max_bytes) {
  const auto it = written_.find(path);
  if (it != written_.end()) return it->second;
  return below_.read(path, max_bytes);
}

std::optional<FileInfo> DryRunHost::stat(const std::string& path) { return below_.stat(path); }

Status DryRunHost::write(const std::string& path, std::string_view content, unsigned mode) {
  char line[64];
  std::snprintf(line, sizeof line, " (%04o, %zu bytes)", mode, content.size());
  tell_("would write " + path + line);
  if ((mode & 077U) != 0) written_[path] = content;  // what is readable by all is no secret
  return {};
}

Status DryRunHost::symlink(const std::string& target, const std::string& path) { return tell_("would link " + path + " -> " + target), Status{}; }
Status DryRunHost::rename(const std::string& from, const std::string& to) { return tell_("would rename " + from + " to " + to), Status{}; }

Status DryRunHost::remove(const std::string& path) {
  if (below_.stat(path)) tell_("would remove " + path);
  return {};
}

Status DryRunHost::remove_tree(const std::string& path) {
  if (below_.stat(path)) tell_("would remove " + path + " and all below it");
  return {};
}

Result<CommandResult> DryRunHost::run(const Command& command) { return tell_("would run " + join(command.argv, " ")), CommandResult{}; }

std::unique_ptr<HttpSession> DryRunHost::open_http(HttpOptions options) { return std::make_unique<DryRunSession>(below_.open_http(std::move(options)), tell_); }

}  // namespace kubejoin
