// An https URL, from --source or from the kernel command line, optionally with the SHA-256 that its content must have.
#include "base/clock.h"
#include "base/retry.h"
#include "base/text.h"
#include "source/platform.h"

namespace kubejoin::source {
namespace {

constexpr int kRedirects = 5;  // from https to https; mirrors and release pages use them
constexpr std::chrono::milliseconds kRequestTimeout{30'000};

struct Location {
  std::string url;
  std::string sha256;   // lower case, or empty
  std::string ca_path;  // PEM that alone is trusted, or empty: the machine's CAs
};

// "https://host/path#sha256=HEX&ca=/path". On the kernel command line, where "#" and "&" are awkward, ";" separates as well.
Result<Location> read_location(const std::string& text, char separator) {
  Location location;
  const auto end = text.find(separator);
  location.url = text.substr(0, end);
  const std::string options = end == text.npos ? "" : replace_all(text.substr(end + 1), "&", ";");
  for (const auto& option : split(options, ';')) {
    if (option.empty()) continue;
    const std::string name = option.substr(0, option.find('=')), value = option.substr(std::min(option.size(), name.size() + 1));
    if (name == "sha256" && hex_decode(value) && value.size() == 64)
      location.sha256 = lower(value);
    else if (name == "ca" && value.starts_with('/'))
      location.ca_path = value;
    else
      return fail(Kind::usage, "source.https", "unable to read " + quoted(option) + " behind the URL " + quoted(location.url),
                  "the options are sha256=<64 hex digits> and ca=/path/to/ca.pem");
  }
  return location;
}

Result<Fetched> download(Host& host, const Location& location, Instant deadline) {
  HttpOptions options;
  options.https_redirects = kRedirects;
  if (!location.ca_path.empty()) {
    options.trust = HttpOptions::Trust::given;
    TRY(options.ca_pem, host.read(location.ca_path, kMaxUserData));
  }
  auto http = host.open_http(std::move(options));
  const auto attempt = [&]() -> Result<HttpResponse> {
    HttpRequest request;
    request.url = location.url;
    request.max_bytes = kMaxUserData;
    request.timeout = std::clamp(std::chrono::duration_cast<std::chrono::milliseconds>(deadline - host.monotonic()), std::chrono::milliseconds{1}, kRequestTimeout);
    return expect_ok(http->run_one(std::move(request)), "download " + location.url);
  };
  const Instant clock_patience = std::min(deadline, host.monotonic() + clock::kPatience);
  auto answer = retry<HttpResponse>(host, {.deadline = deadline}, attempt);
  while (!answer && clock::is_right_now(host, location.url, clock_patience, answer.error())) answer = retry<HttpResponse>(host, {.deadline = deadline}, attempt);
  if (!answer) return tl::unexpected(std::move(answer).error());
  if (!location.sha256.empty() && sha256_hex(answer->body) != location.sha256)
    return fail(Kind::untrusted, "source.sha256", "what " + quoted(location.url) + " holds has the SHA-256 " + sha256_hex(answer->body) + ", not " + location.sha256,
                "somebody changed it; if that was you, state the new sum");
  Fetched fetched;
  fetched.origin = location.url;
  fetched.user_data = std::move(answer->body);
  return fetched;
}

bool never(Host&, const Evidence&) { return false; }

Result<Fetched> fetch_named(Host& host, const Evidence&, const std::string& argument, Instant deadline) {
  TRY(const auto location, read_location("https:" + argument, '#'));
  return download(host, location, deadline);
}

// ---- kubejoin.url=https://…;sha256=… : the kernel command line names where to look; a secret has no place there ----

constexpr std::string_view kWord = "kubejoin.url=";

std::string named_url(const Evidence& evidence) {
  for (const auto& word : words_of(evidence.kernel_command_line))
    if (word.starts_with(kWord)) return word.substr(kWord.size());
  return {};
}

bool detect_kernel(Host&, const Evidence& evidence) { return !named_url(evidence).empty(); }

Result<Fetched> fetch_kernel(Host& host, const Evidence& evidence, const std::string&, Instant deadline) {
  const std::string text = named_url(evidence);
  TRY(const auto location, read_location(text, text.find('#') == text.npos ? ';' : '#'));
  if (!location.url.starts_with("https://"))
    return fail(Kind::usage, "source.https", "kubejoin.url= on the kernel command line is not an https URL: " + quoted(location.url));
  return download(host, location, deadline);
}

}  // namespace

extern const Source kHttps = {"https", "https", "HTTPS URL", "--source https://… alone", kMaxUserData, never, fetch_named};
extern const Source kKernelUrl = {"cmdline", "cmdline", "URL on the kernel command line", "kernel argument kubejoin.url=https://…", kMaxUserData, detect_kernel, fetch_kernel};

}  // namespace kubejoin::source
