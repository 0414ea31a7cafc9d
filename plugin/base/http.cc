// What answers mean.
#include "base/http.h"

#include <rapidjson/document.h>

#include <algorithm>

#include "base/text.h"

namespace kubejoin {
namespace {

constexpr std::size_t kMaxStatus = 64 << 10;
constexpr long long kMaxRetryAfterSeconds = 3600;

// The message of a Kubernetes Status object (apimachinery meta/v1), or nothing.
std::string status_message(const std::string& body) {
  if (body.empty() || body.size() > kMaxStatus) return {};
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(body.data(), body.size());
  if (document.HasParseError() || !document.IsObject()) return {};
  if (!document.HasMember("message") || !document["message"].IsString()) return {};
  return printable({document["message"].GetString(), document["message"].GetStringLength()});
}

}  // namespace

std::optional<std::chrono::milliseconds> HttpResponse::retry_after() const {
  const auto header = headers.find("retry-after");
  if (header == headers.end()) return std::nullopt;
  if (!header->second.empty() && header->second.find_first_not_of("0123456789") == std::string::npos &&
      header->second.size() < 9)
    return std::chrono::seconds{std::min<long long>(std::stoll(header->second), kMaxRetryAfterSeconds)};
  const auto when = parse_http_date(header->second);
  const auto date = headers.find("date");
  if (!when || date == headers.end()) return std::nullopt;
  const auto now = parse_http_date(date->second);  // the server's clock, as ours may be wrong
  if (!now || *when < *now) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(*when - *now);
}

std::chrono::milliseconds HttpRequest::time_left(std::chrono::steady_clock::time_point now) const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
  return std::clamp(left, std::chrono::milliseconds{0}, timeout);
}

Result<HttpResponse> HttpSession::run_one(HttpRequest request) {
  std::vector<HttpRequest> one;
  one.push_back(std::move(request));
  return std::move(run(std::move(one)).front());
}

std::string shown_url(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t authority = url.find("://");
  if (authority == url.npos) return printable(url);
  const std::size_t begin = authority + 3, end = std::min(url.find('/', begin), url.size());
  const std::size_t at = url.substr(begin, end - begin).rfind('@');
  const std::string_view rest = at == url.npos ? url.substr(begin) : url.substr(begin + at + 1);
  return printable(std::string(url.substr(0, begin)) + std::string(rest));
}

Result<HttpResponse> expect_ok(Result<HttpResponse> answer, std::string_view doing) {
  if (!answer) return within(doing, std::move(answer).error());
  const int status = answer->status;
  if (status / 100 == 2) return answer;
  std::string said = status_message(answer->body);
  said = "HTTP status " + std::to_string(status) + (said.empty() ? "" : ": " + said);
  const std::string message = "unable to " + std::string(doing) + ": " + said;
  if (status == 401) return fail(Kind::refused, "http.unauthorized", message);
  if (status == 403) return fail(Kind::refused, "http.forbidden", message);
  if (status == 404) return fail(Kind::invalid, "http.not-found", message);
  if (status == 409) return fail(Kind::machine, "http.conflict", message);
  if (status == 408 || status == 429 || status / 100 == 5) {
    auto error = fail(Kind::unavailable, "http.unavailable", message);
    error.value().retry_after = answer->retry_after();
    return error;
  }
  if (status / 100 == 3)
    return fail(Kind::untrusted, "http.redirect", message + ": a redirect is not followed",
                "give the server's own address");
  return fail(Kind::machine, "http.status", message, "look into the server's log");
}

}  // namespace kubejoin
