// The one way to a metadata service: connect, token, ask, retry.
#include "source/metadata_http.h"

#include <algorithm>

#include "base/retry.h"
#include "base/text.h"
#include "source/platform.h"

namespace kubejoin::source {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRequestTimeout{10'000};
constexpr milliseconds kFirstDelay{200}, kLongestDelay{2'000};
constexpr std::size_t kAtOnce = 8;  // EC2 counts packets, and drops what is too many

bool is_ok(int status) { return status >= 200 && status < 300; }
bool may_pass(int status) { return status == 404 || status == 408 || status == 410 || status == 429 || status >= 500; }

std::string address_of(const std::string& base) {
  const auto from_authority = base.substr(base.find("://") + 3);
  const auto authority = from_authority.substr(0, from_authority.find('/'));
  const auto host_port = parse_host_port(authority);
  if (host_port) return host_port->host;
  return authority.starts_with('[') ? authority.substr(1, authority.find(']') - 1) : authority;
}

}  // namespace

MetadataService::MetadataService(Host& host, Protocol protocol, Instant deadline)
    : host_(host), protocol_(std::move(protocol)), deadline_(deadline), http_(host.open_http({.use_proxy = !protocol_.link_local, .privileged_port = protocol_.privileged_port})) {
  if (protocol_.bases.size() == 1) base_ = protocol_.bases.front();
}

Result<MetadataService::Answers> MetadataService::get(const std::vector<Wanted>& wanted) {
  const auto attempt = [&]() -> Result<Answers> {
    // Of several addresses, which one has a route is for the requests to find out.
    if (protocol_.bases.size() == 1) CHECK_OK(host_.wait_for_route(address_of(base_), deadline_));
    return retry<Answers>(host_, {.first = kFirstDelay, .cap = kLongestDelay, .deadline = deadline_}, [&] { return get_once(wanted); });
  };
  auto answers = attempt();
  if (answers) return answers;
  Error error = within("read " + std::string(protocol_.service), std::move(answers).error()).value();
  if (!protocol_.help.empty() && (error.kind == Kind::unavailable || error.hint.empty())) error.hint = std::string(protocol_.help);
  return tl::unexpected(std::move(error));
}

Result<MetadataService::Answers> MetadataService::get_once(const std::vector<Wanted>& wanted) {
  if (base_.empty() || (protocol_.token && token_.empty())) CHECK_OK(connect(wanted.front().path));
  Headers session;
  if (protocol_.token) session.emplace_back(protocol_.token->header, token_.expose());

  Answers answers;
  for (std::size_t from = 0; from < wanted.size(); from += kAtOnce) {
    const std::size_t to = std::min(from + kAtOnce, wanted.size());
    std::vector<HttpRequest> requests;
    for (std::size_t i = from; i < to; ++i) {
      requests.push_back(request("GET", base_, wanted[i].path, wanted[i].headers));
      requests.back().headers.insert(requests.back().headers.end(), session.begin(), session.end());
    }
    auto responses = http_->run(std::move(requests));
    for (std::size_t i = from; i < to; ++i) {
      TRY(auto response, std::move(responses[i - from]));
      if (response.status == 401 && protocol_.token && !renewed_) {
        renewed_ = true;
        token_ = Secret();
        return get_once(wanted);
      }
      const bool absent = response.status == 404 || response.status == 204;
      if (absent && !wanted[i].required) continue;
      if (!is_ok(response.status)) return unexpected_status(response, wanted[i].path);
      answers.emplace(wanted[i].path, std::move(response.body));
    }
  }
  renewed_ = false;
  return answers;
}

// Finds the address that answers, and gets the session token where the protocol has one. All addresses are asked at once.
Status MetadataService::connect(const std::string& first_path) {
  const auto& token = protocol_.token;
  const std::string path = token ? token->path : first_path;
  const auto bases = base_.empty() ? protocol_.bases : std::vector<std::string>{base_};
  std::optional<std::size_t> first;
  std::vector<HttpRequest> requests;
  for (std::size_t i = 0; i < bases.size(); ++i) {
    requests.push_back(request(token ? "PUT" : "GET", bases[i], path, token ? Headers{token->lifetime} : Headers{}));
    requests.back().on_done = [&first, i, &token](const Result<HttpResponse>& answer) {
      if (first || !answer || (token ? !is_ok(answer->status) : may_pass(answer->status))) return Flow::go_on;
      first = i;
      return Flow::stop;
    };
  }
  auto answers = http_->run(std::move(requests));
  if (first) {
    base_ = bases[*first];
    if (token) token_ = Secret(std::string(trim(answers[*first]->body)));
    return {};
  }
  // An answer, even a refusal, says more than a silence.
  for (const auto& answer : answers)
    if (answer) return unexpected_status(*answer, path);
  return tl::unexpected(std::move(answers.front()).error());
}

HttpRequest MetadataService::request(std::string method, const std::string& base, const std::string& path, const Headers& more) const {
  HttpRequest request;
  request.method = std::move(method);
  request.url = base + path;
  request.headers = protocol_.headers;
  request.headers.insert(request.headers.end(), more.begin(), more.end());
  const auto left = std::chrono::duration_cast<milliseconds>(deadline_ - host_.monotonic());
  request.timeout = std::clamp(left, milliseconds{1}, kRequestTimeout);
  request.max_bytes = kMaxMetadata;
  return request;
}

tl::unexpected<Error> MetadataService::unexpected_status(const HttpResponse& answer, const std::string& path) const {
  const std::string what = quoted(path) + " was answered with status " + std::to_string(answer.status);
  if (may_pass(answer.status)) {
    auto error = fail(Kind::unavailable, "source.status", what);
    error.value().retry_after = answer.retry_after();
    return error;
  }
  if (answer.status >= 300 && answer.status < 400)
    return fail(Kind::untrusted, "source.redirect", what + ", a redirect, which a metadata service does not do",
                "something between this machine and its metadata service answers in its place");
  if (answer.status == 401 || answer.status == 403)
    return fail(Kind::unfit, "source.disabled", what + ": it is switched off for this instance, or wants other credentials");
  return fail(Kind::machine, "source.status", what);
}

}  // namespace kubejoin::source
