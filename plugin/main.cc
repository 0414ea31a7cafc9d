// argv -> command -> exit status.
#include <csignal>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "cli/command.h"

int main(int argc, char** argv) {
  kubejoin::cli::hand_over({argv, argv + argc});  // before this process is made different from what it was called with
  // No secret in a core file, nor to a debugger of the same user.
  const rlimit no_core{0, 0};
  (void)setrlimit(RLIMIT_CORE, &no_core);
  (void)prctl(PR_SET_DUMPABLE, 0);
  (void)std::signal(SIGPIPE, SIG_IGN);
  return kubejoin::cli::run({argv, argv + argc});
}
