// Commands and their flags as tables: what is parsed, completed and printed as help is one thing.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/host.h"

namespace kubejoin::cli {

// One flag. `value_name` empty: a boolean, which also takes --flag=false. Repeatable by nature: `set` is called for every use.
struct Flag {
  std::string_view name;  // without dashes
  char letter = 0;        // -v
  std::string_view value_name;
  std::string_view sentence;
  std::function<Status(const std::string& value)> set;
};

struct Parsed {
  std::vector<std::string> positionals;
  std::vector<std::string> given;  // names of the flags that were used, in their order
  std::vector<Error> errors;       // Kind::usage, all of them
  bool help = false;
};

// GNU and pflag forms: --flag value, --flag=value, --bool, --bool=false, -v 5, -v5, -v=5, flags and positionals in any order, `--`.
// An argument that holds a token is shown without its secret half.
Parsed parse(std::span<const std::string> arguments, std::span<const Flag> flags);

std::string flag_help(std::span<const Flag> flags);

struct Invocation {
  std::vector<std::string> arguments;  // behind the command
  bool as_kubeadm = false;             // called through a link named kubeadm
};

struct Command {
  std::string_view name;
  std::string_view synopsis;  // behind "kubejoin NAME"
  std::string_view sentence;
  int (*run)(const Invocation& invocation);
  std::vector<Flag> (*flags)();  // for help and completion
};
std::span<const Command> commands();

// argv -> exit status.
int run(std::vector<std::string> argv);

// Called as kubeadm with a command that is not a worker's: becomes the next kubeadm on PATH, or /usr/lib/kubejoin/kubeadm, with the same
// arguments and environment. Returns when the command is ours, or there is no other kubeadm, which run() will say.
void hand_over(std::vector<std::string> argv);
int run_as_kubeadm(std::vector<std::string> arguments);

// The commands; each returns the exit status.
int run_join(const Invocation&);
int run_boot(const Invocation&);
int run_reset(const Invocation&);
int run_validate(const Invocation&);
int run_schema(const Invocation&);
int run_query(const Invocation&);
int run_status(const Invocation&);
int run_analyze(const Invocation&);
int run_seal(const Invocation&);
int run_verify(const Invocation&);
int run_version(const Invocation&);
int run_completion(const Invocation&);

std::vector<Flag> join_flags();
std::vector<Flag> boot_flags();
std::vector<Flag> reset_flags();
std::vector<Flag> validate_flags();
std::vector<Flag> query_flags();
std::vector<Flag> status_flags();
std::vector<Flag> analyze_flags();
std::vector<Flag> seal_flags();
std::vector<Flag> verify_flags();

// Where the user stands, and a path of theirs as the Host wants it.
std::string working_directory();
std::string absolute_path(const std::string& path);

// Prints the errors on stderr; the exit status of the first, or 0.
int complain(std::span<const Error> errors);
// Help on stdout and true when --help was given; usage errors on stderr and `status` set.
bool finished(const Parsed& parsed, std::string_view name, int& status);

}  // namespace kubejoin::cli
