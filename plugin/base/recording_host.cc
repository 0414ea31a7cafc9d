// A dry run is a Host: no phase knows of it.
#include "base/recording_host.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "base/text.h"

namespace kubejoin {
namespace {

std::string octal(unsigned mode) {
  char text[8];
  std::snprintf(text, sizeof text, "%04o", mode & 07777U);
  return text;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == path.npos ? "/" : path.substr(0, slash);
}

tl::unexpected<Error> absent(const std::string& doing, const std::string& path) {
  return fail(Kind::machine, "file.absent", "unable to " + doing + " " + quoted(path) + ": No such file or directory");
}

class DryRunSession : public HttpSession {
 public:
  DryRunSession(std::unique_ptr<HttpSession> below, DryRunHost::Tell tell)
      : below_(std::move(below)), tell_(std::move(tell)) {}

  std::vector<Result<HttpResponse>> run(std::vector<HttpRequest> requests) override {
    std::vector<HttpRequest> harmless;
    for (const HttpRequest& request : requests) {
      tell_((passes(request) ? "sends " : "would send ") + request.method + " " + shown_url(request.url));
      if (passes(request)) harmless.push_back(request);
    }
    auto passed = below_->run(std::move(harmless));
    std::vector<Result<HttpResponse>> answers;
    std::size_t next = 0;
    for (const HttpRequest& request : requests) {
      if (passes(request)) {
        answers.push_back(std::move(passed[next++]));
        continue;
      }
      answers.push_back(imagined(request));
      if (request.on_done) (void)request.on_done(answers.back());
    }
    return answers;
  }
  Status trust(std::string_view ca_pem, const std::string& url) override { return below_->trust(ca_pem, url); }
  const PeerChain& peer() const override { return below_->peer(); }
  int connections() const override { return below_->connections(); }

 private:
  static bool passes(const HttpRequest& request) {
    return !request.stream && (request.changes_nothing || request.method == "GET" || request.method == "HEAD");
  }

  static Result<HttpResponse> imagined(const HttpRequest& request) {
    if (request.stream)
      return fail(Kind::machine, "http.dry-run",
                  "a dry run does not wait for " + shown_url(request.url) + ": nothing was changed that could answer");
    const bool gives_object = request.method == "POST" || request.method == "PUT";
    return HttpResponse{.status = request.method == "POST" ? 201 : 200, .body = gives_object ? request.body : ""};
  }

  std::unique_ptr<HttpSession> below_;
  DryRunHost::Tell tell_;
};

}  // namespace

const DryRunHost::Entry* DryRunHost::changed(const std::string& path) const {
  if (const auto entry = changes_.find(path); entry != changes_.end()) return &entry->second;
  for (std::string folder = path; folder != "/";) {
    folder = folder_of(folder);
    const auto entry = changes_.find(folder);
    if (entry != changes_.end() && !entry->second.is_there) return &entry->second;
  }
  return nullptr;
}

Result<std::string> DryRunHost::read(const std::string& path, std::size_t max_bytes) {
  const Entry* entry = changed(path);
  if (entry == nullptr) return below_.read(path, max_bytes);
  if (!entry->is_there) return absent("read", path);
  if (entry->info.type == FileType::symlink) {
    const std::string& target = entry->info.link_target;
    return read(target.starts_with('/') ? target : folder_of(path) + "/" + target, max_bytes);
  }
  if (entry->content.expose().size() > max_bytes)
    return fail(Kind::machine, "file.too-large", "unable to read " + quoted(path) + ": it is too large");
  return std::string(entry->content.expose());
}

std::optional<FileInfo> DryRunHost::stat(const std::string& path) {
  const Entry* entry = changed(path);
  if (entry == nullptr) return below_.stat(path);
  return entry->is_there ? std::optional(entry->info) : std::nullopt;
}

Result<std::vector<std::string>> DryRunHost::list(const std::string& dir) {
  const Entry* entry = changed(dir);
  if (entry != nullptr && !entry->is_there) return absent("list", dir);
  std::set<std::string> names;
  if (auto below = below_.list(dir))
    names.insert(below->begin(), below->end());
  else if (entry == nullptr)
    return below;
  for (const auto& [path, change] : changes_) {
    if (folder_of(path) != dir) continue;
    const std::string name = path.substr(path.rfind('/') + 1);
    if (change.is_there)
      names.insert(name);
    else
      names.erase(name);
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Status DryRunHost::write(const std::string& path, std::string_view content, unsigned mode) {
  tell_("would write " + path + " (" + octal(mode) + ", " + std::to_string(content.size()) + " bytes)");
  CHECK_OK(make_dirs(folder_of(path), 0755));
  changes_[path] = {.info = {.type = FileType::regular, .mode = mode, .size = content.size()},
                    .content = Secret(std::string(content))};
  return {};
}

Status DryRunHost::make_dirs(const std::string& path, unsigned mode) {
  if (stat(path)) return {};
  CHECK_OK(make_dirs(folder_of(path), 0755));
  tell_("would make folder " + path + " (" + octal(mode) + ")");
  changes_[path] = {.info = {.type = FileType::directory, .mode = mode}};
  return {};
}

Status DryRunHost::symlink(const std::string& target, const std::string& path) {
  tell_("would link " + path + " -> " + target);
  changes_[path] = {.info = {.type = FileType::symlink, .mode = 0777, .link_target = target}};
  return {};
}

Status DryRunHost::rename(const std::string& from, const std::string& to) {
  const auto info = stat(from);
  if (!info) return absent("rename", from);
  tell_("would rename " + from + " to " + to);
  Entry moved{.info = *info};
  if (info->type == FileType::regular) {
    TRY(auto content, read(from));
    moved.content = Secret(std::move(content));
  }
  changes_[to] = std::move(moved);
  changes_[from] = {.is_there = false};
  return {};
}

Status DryRunHost::remove(const std::string& path) {
  if (!stat(path)) return {};
  tell_("would remove " + path);
  changes_[path] = {.is_there = false};
  return {};
}

Status DryRunHost::remove_tree(const std::string& path) {
  if (!stat(path)) return {};
  tell_("would remove " + path + " and all below it");
  std::erase_if(changes_, [&](const auto& change) { return change.first.starts_with(path + "/"); });
  changes_[path] = {.is_there = false};
  return {};
}

Status DryRunHost::wait_for_path(const std::string& path, Instant) {
  if (!stat(path)) tell_("would wait for " + path);
  return {};
}

Result<CommandResult> DryRunHost::run(const Command& command) {
  tell_((command.changes_nothing ? "runs " : "would run ") + printable(join(command.argv, " ")));
  return command.changes_nothing ? below_.run(command) : CommandResult{};
}

std::unique_ptr<HttpSession> DryRunHost::open_http(HttpOptions options) {
  // A socket of this machine is asked by gRPC, where every question is a POST: the container runtime's state, which is a read.
  if (!options.unix_socket.empty()) return below_.open_http(std::move(options));
  return std::make_unique<DryRunSession>(below_.open_http(std::move(options)), tell_);
}

}  // namespace kubejoin
