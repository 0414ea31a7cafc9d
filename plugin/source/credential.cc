// systemd credentials: user-data that the service manager, the hypervisor or the credential store handed to our unit.
// Protocol: systemd docs/CREDENTIALS.md; the unit's LoadCredential=kubejoin.user-data makes systemd look in all of its stores.
#include "source/platform.h"

namespace kubejoin::source {
namespace {

constexpr std::string_view kName = "kubejoin.user-data";

std::string path_of(Host& host, std::string_view name) {
  const auto folder = host.environment("CREDENTIALS_DIRECTORY");
  return folder ? *folder + "/" + std::string(name) : std::string();
}

bool detect(Host& host, const Evidence&) {
  const std::string path = path_of(host, kName);
  return !path.empty() && exists(host, path);
}

// `argument` is another credential's name.
Result<Fetched> fetch_it(Host& host, const Evidence&, const std::string& argument, Instant) {
  if (argument.find('/') != argument.npos)
    return fail(Kind::usage, "source.credential", "a credential's name has no slash", "to read a file, say --source file:/path");
  const std::string path = path_of(host, argument.empty() ? kName : argument);
  if (path.empty())
    return fail(Kind::machine, "source.no-credentials", "$CREDENTIALS_DIRECTORY is not set",
                "start kubejoin from its unit, with LoadCredential=kubejoin.user-data");
  return from_file(host, path);
}

}  // namespace

extern const Source kCredential = {"credential", "credential", "systemd credential", "the credential kubejoin.user-data", kMaxUserData, detect, fetch_it};

}  // namespace kubejoin::source
