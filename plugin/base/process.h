// Child processes: spawned without a shell, fed and read without deadlock, killed with their group when time is up.
#pragma once

#include "base/host.h"

namespace kubejoin {

// See Host::run. `wake_fd`: readable when the process is asked to end; the child is then killed too.
Result<CommandResult> run_process(const Command& command, int wake_fd);

}  // namespace kubejoin
