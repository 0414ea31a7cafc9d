// Paths below another root (`--root DIR`): absolute, and no link or ".." leads out of it.
#pragma once

#include <optional>
#include <string>

#include "base/fd.h"

namespace kubejoin {

// As openat2(2) with RESOLVE_IN_ROOT: an absolute link means the root's own tree, as it will when the image runs. Where
// the kernel lacks openat2 (before 5.6) or a sandbox forbids it, the path is walked by hand to the same end. On failure
// the Fd is not ok() and errno tells.
Fd open_below(const Fd& root, const std::string& path, int flags);
// The walk alone.
Fd walk_below(const Fd& root, const std::string& path, int flags);

// Where an open file is, seen from the machine's own root; nothing without /proc.
std::optional<std::string> path_of(const Fd& file);

}  // namespace kubejoin
