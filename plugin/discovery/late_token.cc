// One reader a scheme; what was read is wiped, and no error holds it.
#include "discovery/late_token.h"

#include "base/text.h"
#include "config/load.h"

namespace kubejoin::discovery {
namespace {

constexpr std::size_t kMaxToken = 4096;

Result<std::string> read_credential(Host& host, const std::string& name) {
  const auto folder = host.environment("CREDENTIALS_DIRECTORY");
  if (!folder)
    return fail(Kind::machine, "token.no-credentials", "token.from names a credential, but $CREDENTIALS_DIRECTORY is not set",
                "start kubejoin from its unit, with ImportCredential= or LoadCredential=");
  return host.read(*folder + "/" + name, kMaxToken);
}

// The URL may be signed: its query is a credential of its own.
Result<std::string> read_url(Host& host, const std::string& url, Instant deadline) {
  HttpRequest request;
  request.deadline = deadline;
  request.url = url;
  request.max_bytes = kMaxToken;
  TRY(auto answer, expect_ok(host.open_http({.trust = HttpOptions::Trust::host})->run_one(std::move(request)), "fetch " + shown_url(url)));
  return std::move(answer.body);
}

Result<std::string> read_raw(Host& host, const std::string& from, const ReadMetadata& metadata, Instant deadline) {
  const std::string scheme = from.substr(0, from.find(':')), rest = from.substr(std::min(from.size(), scheme.size() + 1));
  if (scheme == "credential") return read_credential(host, rest);
  if (scheme == "file") return host.read(rest, kMaxToken);
  if (scheme == "https") return read_url(host, from, deadline);
  if (scheme == "metadata" && metadata) return metadata(rest, deadline);
  return fail(Kind::invalid, "config.token-from", "token.from is none of credential:NAME, file:/PATH, https://URL, metadata:NAME");
}

}  // namespace

Result<Secret> read_late_token(Host& host, const std::string& from, const ReadMetadata& metadata, Instant deadline) {
  auto raw = read_raw(host, from, metadata, deadline);
  if (!raw) return within("read the bootstrap token", std::move(raw).error());
  Secret token{std::string(trim(*raw))};
  wipe(*raw);
  if (!config::is_token(token.expose()))
    return fail(Kind::invalid, "config.token", "what token.from names holds no bootstrap token", "it looks like abcdef.0123456789abcdef");
  return token;
}

}  // namespace kubejoin::discovery
