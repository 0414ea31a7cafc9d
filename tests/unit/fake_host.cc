// The fake machine: what Host promises, kept with maps.
#include "fake_host.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/text.h"
#include "test.h"

namespace kubejoin {

namespace {

std::string octal(unsigned mode) {
  char text[8];
  std::snprintf(text, sizeof text, "%04o", mode & 07777U);
  return text;
}

Status fake_error(std::string_view id, const std::string& doing, const std::string& why) {
  return fail(Kind::machine, id, "unable to " + doing + ": " + why);
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == path.npos ? "/" : path.substr(0, slash);
}

bool is_below(const std::string& path, const std::string& folder) {
  return path.starts_with(folder == "/" ? folder : folder + "/") && path != folder;
}

template <class T>
T take(std::deque<T>& queue) {
  T front = queue.front();
  if (queue.size() > 1) queue.pop_front();
  return front;
}

}  // namespace

// Within a batch streams come after the rest, as a watch hears of what the batch's other requests did; and what hangs
// comes last, as its time runs while the others are answered.
class FakeSession : public HttpSession {
 public:
  FakeSession(FakeHost& host, HttpOptions options) : host_(host), options_(std::move(options)) {}

  std::vector<Result<HttpResponse>> run(std::vector<HttpRequest> batch) override {
    std::vector<Result<HttpResponse>> answers(
        batch.size(), fail(Kind::unavailable, "http.cancelled", "the request was not needed any more"));
    for (const HttpRequest& request : batch) {
      const bool is_verified = options_.trust != HttpOptions::Trust::pending && request.url.starts_with("https://");
      if (request.bearer.empty() || is_verified) continue;
      const auto refused =
          fail(Kind::internal, "http.unverified", "a bearer was about to go over an unverified connection");
      return std::vector<Result<HttpResponse>>(batch.size(), refused);
    }
    if (connections_ == 0 && !batch.empty()) connections_ = 1;
    const Instant began = host_.instant;
    std::vector<std::pair<std::size_t, FakeHost::Answer>> hanging;
    for (const bool streams : {false, true}) {
      for (std::size_t i = 0; i < batch.size(); ++i) {
        if (batch[i].stream != streams) continue;
        if (!hanging.empty() && began + batch[i].start_after > host_.instant)
          host_.advance(std::chrono::ceil<Millis>(began + batch[i].start_after - host_.instant));
        auto canned = begin(batch[i]);
        if (canned && canned->hangs && !streams && batch.size() > 1) {
          hanging.emplace_back(i, *std::move(canned));
          continue;
        }
        if (exchange(batch[i], std::move(canned), answers[i]) == Flow::stop) return answers;
      }
    }
    for (auto& [i, canned] : hanging)
      if (exchange(batch[i], std::move(canned), answers[i]) == Flow::stop) return answers;
    return answers;
  }

  Status trust(std::string_view, const std::string& url) override {
    CHECK_OK(host_.touch("trust"));
    if (host_.distrust) return tl::unexpected<Error>(*host_.distrust);
    for (const auto& [prefix, error] : host_.distrusted)
      if (url.starts_with(prefix)) return tl::unexpected<Error>(error);
    options_.trust = HttpOptions::Trust::given;
    return {};
  }

  const PeerChain& peer() const override { return peer_; }
  int connections() const override { return connections_; }

 private:
  Flow exchange(const HttpRequest& request, Result<FakeHost::Answer> canned, Result<HttpResponse>& ret_answer) {
    const Flow in_stream = transfer(request, std::move(canned), ret_answer);
    const Flow when_done = request.on_done ? request.on_done(ret_answer) : Flow::go_on;
    return in_stream == Flow::stop ? Flow::stop : when_done;
  }

  // Sends the request: what the other side will do with it.
  Result<FakeHost::Answer> begin(const HttpRequest& request) {
    host_.requests.push_back(request);
    CHECK_OK(host_.touch(request.method + " " + request.url, true));
    FakeHost::Answer canned = host_.take_answer(request);
    if (canned.before) canned.before();
    if (canned.takes > request.time_left(host_.instant)) canned.hangs = true;
    else if (canned.takes > Millis{0}) pass(request, canned.takes);
    if (canned.hangs) return canned;
    if (canned.error) return tl::unexpected<Error>(*canned.error);
    return canned;
  }

  Flow transfer(const HttpRequest& request, Result<FakeHost::Answer> begun, Result<HttpResponse>& ret_answer) {
    if (!begun) {
      ret_answer = tl::unexpected<Error>(std::move(begun).error());
      return Flow::go_on;
    }
    const FakeHost::Answer& canned = *begun;
    HttpResponse response{.status = canned.status, .headers = canned.headers, .body = canned.body};
    if (response.body.size() > request.max_bytes) {
      ret_answer = fail(Kind::untrusted, "http.too-large", "the answer is too large", "is this the right server?");
      return Flow::go_on;
    }
    for (const std::string& line : canned.lines) {
      if (!request.stream || canned.status / 100 != 2 || !request.on_line) break;
      if (request.on_line(line) == Flow::go_on) continue;
      response.stopped = true;
      ret_answer = std::move(response);
      return Flow::stop;
    }
    if (canned.hangs) {
      const Millis given = request.time_left(host_.instant);
      pass(request, given);
      ret_answer = fail(Kind::unavailable, "http.timeout", "no answer in " + format_duration(given));
    } else {
      ret_answer = std::move(response);
    }
    return Flow::go_on;
  }

  // Time in which an exchange goes on.
  void pass(const HttpRequest& request, Millis time) {
    const bool is_slow = request.on_slow && time >= request.slow_after;
    const Millis before = is_slow ? std::max(request.slow_after, Millis{0}) : Millis{0};
    host_.advance(before);
    if (is_slow) request.on_slow();
    host_.advance(time - before);
  }

  FakeHost& host_;
  HttpOptions options_;
  PeerChain peer_;
  int connections_ = 0;
};

// ---- the world
// --------------------------------------------------------------------------------------------------------

void FakeHost::put(const std::string& path, std::string content, unsigned mode) {
  files[path] = {.content = std::move(content), .mode = mode};
}
void FakeHost::put_folder(const std::string& path, unsigned mode) {
  files[path] = {.mode = mode, .type = FileType::directory};
}
void FakeHost::put_link(const std::string& path, const std::string& target) {
  files[path] = {.mode = 0777, .type = FileType::symlink, .link_target = target};
}
void FakeHost::put_socket(const std::string& path) { files[path] = {.mode = 0660, .type = FileType::socket}; }

void FakeHost::advance(Millis by) {
  instant += by;
  wall += by;
}

void FakeHost::answer(const std::string& key, Answer answer) { answers_[key].push_back(std::move(answer)); }
void FakeHost::answer_command(const std::string& key, Result<CommandResult> result) {
  results_[key].push_back(std::move(result));
}

FakeHost::Answer FakeHost::take_answer(const HttpRequest& request) {
  const std::size_t host = request.url.find("://");
  const std::size_t slash = host == request.url.npos ? request.url.npos : request.url.find('/', host + 3);
  const std::string target = slash == request.url.npos ? "/" : request.url.substr(slash);
  const auto path = [](const std::string& url) { return url.substr(0, url.find('?')); };
  for (const std::string& end : {request.url, path(request.url), target, path(target)}) {
    if (const auto found = answers_.find(request.method + " " + end); found != answers_.end())
      return take(found->second);
  }
  return on_request ? on_request(request) : Answer{.status = 404};
}

// ---- touches
// ----------------------------------------------------------------------------------------------------------

Status FakeHost::count(bool is_request) {
  ++fallible_;
  if (die_in_ > 0 && --die_in_ == 0) throw Death();
  if (fail_in_ == 0 || --fail_in_ > 0) return {};
  if (is_request) return fail(Kind::unavailable, "http.unreachable", "unable to connect: the test wants it so");
  return fail(Kind::machine, "fake.failed", "unable to go on: the test wants it so");
}

Status FakeHost::touch(std::string what, bool is_request) {
  touches.push_back(std::move(what));
  Status status = count(is_request);
  if (!status) touches.back() += " (failed)";
  return status;
}

bool FakeHost::touched(const std::string& touch) const {
  return std::find(touches.begin(), touches.end(), touch) != touches.end();
}

int FakeHost::count_touches(const std::string& prefix) const {
  return static_cast<int>(
      std::count_if(touches.begin(), touches.end(), [&](const std::string& t) { return t.starts_with(prefix); }));
}

const std::string& FakeHost::content(const std::string& path) const {
  const auto file = files.find(path);
  REQUIRE_MESSAGE(file != files.end(), path, " is absent");
  return file->second.content;
}

std::vector<std::string> FakeHost::places_that_show(const std::string& secret) const {
  std::vector<std::string> places;
  const auto shows = [&](const std::string& text) { return text.find(secret) != text.npos; };
  for (const std::string& touch : touches) {
    if (shows(touch)) places.push_back(touch);
  }
  for (const Command& command : commands) {
    for (const auto& [name, value] : command.env) {
      if (shows(value)) places.push_back("environment of " + command.argv.front() + ": " + name);
    }
  }
  for (const auto& [path, file] : files) {
    if ((file.mode & 077U) != 0 && (shows(file.content) || shows(file.link_target)))
      places.push_back(path + " " + octal(file.mode));
  }
  return places;
}

// ---- files
// ------------------------------------------------------------------------------------------------------------

Result<std::string> FakeHost::read(const std::string& path, std::size_t max_bytes) {
  reads.push_back(path);
  CHECK_OK(count());
  auto file = files.find(path);
  for (int hops = 0; file != files.end() && file->second.type == FileType::symlink && hops < 8; ++hops) {
    const std::string& target = file->second.link_target;
    file = files.find(target.starts_with('/') ? target : folder_of(file->first) + "/" + target);
  }
  if (file == files.end())
    return fail(Kind::machine, "file.absent", "unable to read " + quoted(path) + ": No such file or directory");
  if (file->second.type != FileType::regular)
    return fail(Kind::machine, "file.read", "unable to read " + quoted(path) + ": not a file");
  if (file->second.content.size() > max_bytes)
    return fail(Kind::machine, "file.too-large", quoted(path) + " is too large");
  return file->second.content;
}

std::optional<FileInfo> FakeHost::stat(const std::string& path) {
  if (const auto file = files.find(path); file != files.end()) {
    return FileInfo{.type = file->second.type,
                    .mode = file->second.mode,
                    .uid = 0,
                    .size = file->second.content.size(),
                    .link_target = file->second.link_target};
  }
  const bool is_folder =
      path == "/" || std::any_of(files.begin(), files.end(), [&](const auto& f) { return is_below(f.first, path); });
  return is_folder ? std::optional(FileInfo{.type = FileType::directory, .mode = 0755}) : std::nullopt;
}

Result<std::vector<std::string>> FakeHost::list(const std::string& dir) {
  reads.push_back(dir);
  CHECK_OK(count());
  const auto info = stat(dir);
  if (!info) return fail(Kind::machine, "file.absent", "unable to list " + quoted(dir) + ": No such file or directory");
  if (info->type != FileType::directory)
    return fail(Kind::machine, "file.list", "unable to list " + quoted(dir) + ": Not a directory");
  std::set<std::string> found;
  const std::size_t skip = dir == "/" ? 1 : dir.size() + 1;
  for (const auto& [path, file] : files) {
    if (is_below(path, dir)) found.insert(path.substr(skip, path.find('/', skip) - skip));
  }
  return std::vector<std::string>(found.begin(), found.end());
}

Status FakeHost::write(const std::string& path, std::string_view content, unsigned mode) {
  CHECK_OK(touch("write " + path + " " + octal(mode)));
  if (const auto there = stat(path); there && there->type == FileType::directory)
    return fake_error("file.write", "write " + quoted(path), "Is a directory");
  put(path, std::string(content), mode);
  return {};
}

Status FakeHost::make_dirs(const std::string& path, unsigned mode) {
  CHECK_OK(touch("make_dirs " + path + " " + octal(mode)));
  const auto there = stat(path);
  if (there && there->type != FileType::directory)
    return fake_error("file.make", "make " + quoted(path), "Not a directory");
  if (!there) put_folder(path, mode);
  return {};
}

Status FakeHost::symlink(const std::string& target, const std::string& path) {
  CHECK_OK(touch("symlink " + path + " -> " + target));
  if (const auto there = stat(path); there && there->type != FileType::symlink)
    return fake_error("file.link", "link " + quoted(path), "it exists and is not a link");
  put_link(path, target);
  return {};
}

Status FakeHost::rename(const std::string& from, const std::string& to) {
  CHECK_OK(touch("rename " + from + " " + to));
  if (!stat(from)) return fake_error("file.absent", "rename " + quoted(from), "No such file or directory");
  std::map<std::string, File> moved;
  for (auto it = files.begin(); it != files.end();) {
    if (it->first != from && !is_below(it->first, from)) {
      ++it;
      continue;
    }
    moved[to + it->first.substr(from.size())] = std::move(it->second);
    it = files.erase(it);
  }
  for (auto& [path, file] : moved) files[path] = std::move(file);
  return {};
}

Status FakeHost::remove(const std::string& path) {
  CHECK_OK(touch("remove " + path));
  if (std::any_of(files.begin(), files.end(), [&](const auto& f) { return is_below(f.first, path); }))
    return fake_error("file.remove", "remove " + quoted(path), "Directory not empty");
  files.erase(path);
  return {};
}

Status FakeHost::remove_tree(const std::string& path) {
  CHECK_OK(touch("remove_tree " + path));
  std::erase_if(files, [&](const auto& f) { return f.first == path || is_below(f.first, path); });
  return {};
}

// `happens`: when what is waited for comes about; nothing: never.
Status FakeHost::wait_until(Instant deadline, std::optional<Instant> happens) {
  if (is_terminating) return terminated();
  const bool in_time = happens && *happens <= deadline;
  const Instant until = in_time ? *happens : deadline;
  if (until > instant) advance(std::chrono::ceil<Millis>(until - instant));
  if (!in_time) return fail(Kind::unavailable, "wait.timeout", "it did not come about in time");
  return {};
}

Status FakeHost::wait_for_path(const std::string& path, Instant deadline) {
  CHECK_OK(touch("wait_for_path " + path));
  if (stat(path)) return {};
  const auto appears = appears_in.find(path);
  CHECK_OK(wait_until(deadline, appears == appears_in.end() ? std::nullopt : std::optional(instant + appears->second)));
  if (!stat(path)) put(path, "");
  return {};
}

Result<std::unique_ptr<Lock>> FakeHost::lock(const std::string& path, Instant deadline) {
  CHECK_OK(touch("lock " + path));
  if (!lock_held_for) return std::make_unique<Lock>();
  const Instant began = instant;
  const Status ended = wait_until(deadline, instant + *lock_held_for);
  if (!ended && ended.error().id == "wait.timeout") {
    *lock_held_for -= std::chrono::duration_cast<Millis>(instant - began);
    return fail(Kind::unavailable, "lock.held", "another kubejoin is at work on this machine: process 4242");
  }
  CHECK_OK(ended);
  lock_held_for.reset();
  if (lock_ends) lock_ends();
  return std::make_unique<Lock>();
}

// ---- processes
// --------------------------------------------------------------------------------------------------------

Result<CommandResult> FakeHost::run(const Command& command) {
  const std::string line = join(command.argv, " ");
  commands.push_back(command);
  CHECK_OK(touch("run " + line));
  for (const std::string& key : {line, command.argv.front()}) {
    if (const auto found = results_.find(key); found != results_.end()) return take(found->second);
  }
  if (on_command) return on_command(command);
  if (programs.contains(command.argv.front())) return CommandResult{};
  return fail(Kind::machine, "process.absent",
              "unable to run " + quoted(command.argv.front()) + ": No such file or directory");
}

std::optional<std::string> FakeHost::find_program(const std::string& name) {
  return programs.contains(name) ? std::optional("/usr/bin/" + name) : std::nullopt;
}

// ---- network
// ----------------------------------------------------------------------------------------------------------

std::unique_ptr<HttpSession> FakeHost::open_http(HttpOptions options) {
  sessions.push_back(options);
  return std::make_unique<FakeSession>(*this, std::move(options));
}

Status FakeHost::can_listen(std::uint16_t port) {
  CHECK_OK(count());
  if (busy_ports.contains(port))
    return fail(Kind::unfit, "net.port-in-use",
                "unable to listen on port " + std::to_string(port) + ": Address already in use");
  return {};
}

Status FakeHost::can_connect_unix(const std::string& path) {
  CHECK_OK(count());
  if (!listening_sockets.contains(path))
    return fake_error("net.connect", "connect to " + quoted(path), "Connection refused");
  return {};
}

Status FakeHost::send_datagram(const std::string& unix_path, std::string_view data) {
  return touch("send " + unix_path + " " + std::string(data));
}

bool FakeHost::resolves(const std::string& name, Millis) {
  return names.contains(name) || is_ipv4(name) || is_ipv6(name);
}

Status FakeHost::wait_for_route(const std::string& address, Instant deadline) {
  CHECK_OK(touch("wait_for_route " + address));
  Status status = wait_until(deadline, route_in ? std::optional(instant + *route_in) : std::nullopt);
  if (!status && status.error().id == "wait.timeout")
    return fail(Kind::unavailable, "net.no-route", "there is no route to " + quoted(address));
  return status;
}

// ---- clocks, chance, self
// ---------------------------------------------------------------------------------------------

Status FakeHost::wait_for_clock(Millis offset, Instant deadline) {
  CHECK_OK(touch("wait_for_clock"));
  const auto is = std::chrono::duration_cast<Millis>(wall.time_since_epoch() - instant.time_since_epoch());
  if (std::chrono::abs(is - offset) >= Millis{1'000}) return {};
  CHECK_OK(wait_until(deadline, clock_set_in ? std::optional(instant + *clock_set_in) : std::nullopt));
  wall += std::exchange(clock_set_by, Millis{0});
  clock_set_in.reset();
  return {};
}

void FakeHost::sleep_until(Instant when) {
  if (is_terminating || when <= instant) return;
  const auto pause = std::chrono::ceil<Millis>(when - instant);
  touches.push_back("sleep " + format_duration(pause));
  advance(pause);
}

// splitmix64: small, and good enough that jitter looks like jitter.
void FakeHost::random(void* into, std::size_t bytes) {
  auto* at = static_cast<unsigned char*>(into);
  while (bytes > 0) {
    std::uint64_t word = chance_ += 0x9E3779B97F4A7C15;
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9;
    word = (word ^ word >> 27) * 0x94D049BB133111EB;
    word ^= word >> 31;
    const std::size_t part = std::min(bytes, sizeof word);
    std::memcpy(at, &word, part);
    at += part;
    bytes -= part;
  }
}

std::optional<std::string> FakeHost::environment(const std::string& name) {
  const auto variable = variables.find(name);
  return variable == variables.end() ? std::nullopt : std::optional(variable->second);
}

}  // namespace kubejoin
