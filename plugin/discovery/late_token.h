// A bootstrap token that is read when it is needed, not when the image was baked or the user-data written.
#pragma once

#include "base/host.h"
#include "config/join_config.h"

namespace kubejoin::discovery {

// Reads config.first_boot.token_from. Every call reads anew: a refreshed token is found.
// Kind::machine when the place cannot be read, Kind::invalid "config.token" when it holds something else.
Result<Secret> read_late_token(Host& host, const config::JoinConfig& config);

}  // namespace kubejoin::discovery
