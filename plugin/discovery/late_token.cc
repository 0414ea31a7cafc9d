// A bootstrap token that is read when it is needed, from where FirstBoot's token.from says.
#include "discovery/late_token.h"

#include "base/text.h"
#include "config/load.h"

namespace kubejoin::discovery {
namespace {

constexpr std::size_t kMaxToken = 4096;

Result<std::string> read_raw(Host& host, const std::string& from) {
  const auto after = [&](std::string_view scheme) { return from.substr(scheme.size()); };
  if (from.rfind("credential:", 0) == 0) {
    const auto folder = host.environment("CREDENTIALS_DIRECTORY");
    if (!folder)
      return fail(Kind::machine, "token.no-credentials", "token.from names a credential, but $CREDENTIALS_DIRECTORY is not set",
                  "start kubejoin from its unit, with ImportCredential= or LoadCredential=");
    return host.read(*folder + "/" + after("credential:"), kMaxToken);
  }
  if (from.rfind("file:", 0) == 0) return host.read(after("file:"), kMaxToken);
  if (from.rfind("https://", 0) == 0) {
    HttpRequest request;
    request.url = from;
    request.max_bytes = kMaxToken;
    TRY(auto answer, expect_ok(host.open_http({.trust = HttpOptions::Trust::host})->run_one(std::move(request)), "fetch the bootstrap token"));
    return std::move(answer.body);
  }
  return fail(Kind::invalid, "token.from", "token.from is none of credential:NAME, file:PATH, https://URL");
}

}  // namespace

Result<Secret> read_late_token(Host& host, const config::JoinConfig& config) {
  auto raw = read_raw(host, config.first_boot.token_from);
  if (!raw) return within("read the bootstrap token", std::move(raw).error());
  Secret token{std::string(trim(*raw))};
  wipe(*raw);
  if (!config::is_token(token.expose()))
    return fail(Kind::invalid, "config.token", "what token.from names holds no bootstrap token",
                "it looks like abcdef.0123456789abcdef");
  return token;
}

}  // namespace kubejoin::discovery
