// A bootstrap token that is read when it is needed, not when the image was baked or the user-data written.
#pragma once

#include <functional>
#include <string>

#include "base/host.h"

namespace kubejoin::discovery {

// What the instance's metadata says under a name of `kubejoin query`, asked anew.
using ReadMetadata = std::function<Result<std::string>(const std::string& name, Instant deadline)>;

// Reads the token where `from` (FirstBoot token.from) says: "credential:NAME", "file:/PATH", "https://URL" or
// "metadata:NAME". Every call reads anew: a refreshed token is found. Kind::unavailable for a server that is not there yet
// or does not answer until `deadline`, Kind::machine when the place cannot be read, Kind::invalid "config.token" when it holds something else.
Result<Secret> read_late_token(Host& host, const std::string& from, const ReadMetadata& metadata, Instant deadline);

}  // namespace kubejoin::discovery
