// The table of commands, and the reading of argv.
#include "cli/command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/text.h"
#include "report/error_text.h"

namespace kubejoin::cli {
namespace {

constexpr char kHelpHint[] = "kubejoin help";

std::vector<Flag> no_flags() { return {}; }

constexpr Command kCommands[] = {
    {"boot", "[--source URI] [--dry-run]", "the unit's command: find the configuration, validate it, join, report", run_boot, boot_flags},
    {"join", "[HOST:PORT] [flags] | phase [list|NAME]", "kubeadm join for a worker, with all its flags", run_join, join_flags},
    {"reset", "[--force] [--dry-run] [--delete-node] [flags]", "undo the join of this machine, as kubeadm reset does for a worker", run_reset, reset_flags},
    {"validate", "FILE... [-o json]", "every mistake in user-data or a kubeadm document, with line and column", run_validate, validate_flags},
    {"schema", "[VERSION]", "print an embedded JSON Schema, or list them", run_schema, no_flags},
    {"query", "[NAME] [--source URI] [--list-sources]", "what the instance's metadata says, secrets left out", run_query, query_flags},
    {"status", "[--wait[=DURATION]] [-o json]", "where the join is, or how it ended; the exit status says which", run_status, status_flags},
    {"analyze", "[-o text|json|svg]", "the timeline from power-on to Ready, and who took the time", run_analyze, analyze_flags},
    {"seal", "[--root DIR] [--dry-run] [--keep NAME|PATH] [-o json]", "at the end of a bake: take identity and secrets out of the image", run_seal, seal_flags},
    {"verify", "[--root DIR] [--keep NAME|PATH] [-o json]", "prove that the image carries none, and has all that a node needs", run_verify, verify_flags},
    {"version", "[-o short|json]", "print the version", run_version, no_flags},
    {"completion", "bash|zsh|fish", "print a completion script", run_completion, no_flags},
};

const Flag* find_flag(std::span<const Flag> flags, std::string_view name) {
  const auto it = std::find_if(flags.begin(), flags.end(), [&](const Flag& f) { return f.name == name || (name.size() == 1 && f.letter == name[0]); });
  return it == flags.end() ? nullptr : &*it;
}

bool is_boolean(std::string_view text) { return text == "true" || text == "false" || text == "1" || text == "0" || text == "t" || text == "f"; }

Error usage(std::string id, std::string message, std::string hint = kHelpHint) {
  return fail(Kind::usage, id, std::move(message), std::move(hint)).value();
}

Error unknown_flag(std::string_view name, std::span<const Flag> flags) {
  std::vector<std::string> names;
  for (const Flag& flag : flags) names.push_back("--" + std::string(flag.name));
  const auto nearest = did_you_mean("--" + std::string(name), names);
  return usage("usage.unknown-flag", "unknown flag: --" + printable(name), nearest ? "did you mean " + *nearest + "?" : std::string(kHelpHint));
}

int help() {
  std::string text = "kubejoin makes this machine a Kubernetes worker.\n\nusage: kubejoin COMMAND [arguments]\n\n";
  for (const Command& command : kCommands) {
    char line[200];
    std::snprintf(line, sizeof line, "  %-11s %s\n", std::string(command.name).c_str(), std::string(command.sentence).c_str());
    text += line;
  }
  text += "\nkubejoin COMMAND --help tells more. Exit status: 0 success, 64 usage, 65 invalid document, 69 unavailable, 70 internal,\n"
          "71 machine, 76 untrusted, 77 refused, 78 machine not fit.\n";
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

std::span<const Command> commands() { return kCommands; }

Parsed parse(std::span<const std::string> arguments, std::span<const Flag> flags) {
  Parsed parsed;
  bool only_positionals = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (only_positionals || argument.size() < 2 || argument[0] != '-') {
      parsed.positionals.push_back(argument);
      continue;
    }
    if (argument == "--") {
      only_positionals = true;
      continue;
    }
    if (argument == "--help" || argument == "-h") {
      parsed.help = true;
      continue;
    }
    const bool is_long = argument[1] == '-';
    std::string name = argument.substr(is_long ? 2 : 1);
    std::optional<std::string> value;
    if (const auto equals = name.find('='); equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
    } else if (!is_long && name.size() > 1) {
      value = name.substr(1);
      name.resize(1);
    }
    const Flag* flag = is_long && name.size() == 1 && find_flag(flags, name) == nullptr ? nullptr : find_flag(flags, name);
    if (flag == nullptr) {
      parsed.errors.push_back(unknown_flag(name, flags));
      continue;
    }
    const bool boolean = flag->value_name.empty();
    if (!value && boolean) value = "true";
    if (!value && flag->value_name.front() == '[') value = "";  // an optional value stands behind '=' only
    if (!value && i + 1 < arguments.size()) value = arguments[++i];
    if (!value) {
      parsed.errors.push_back(usage("usage.missing-value", "flag needs an argument: --" + std::string(flag->name), "--" + std::string(flag->name) + " " + std::string(flag->value_name)));
      continue;
    }
    if (boolean && !is_boolean(*value)) {
      parsed.errors.push_back(usage("usage.not-a-bool", "flag --" + std::string(flag->name) + " is true or false, not " + quoted(*value)));
      continue;
    }
    parsed.given.emplace_back(flag->name);
    if (auto set = flag->set(*value); !set) parsed.errors.push_back(std::move(set).error());
  }
  return parsed;
}

std::string flag_help(std::span<const Flag> flags) {
  std::string text;
  for (const Flag& flag : flags) {
    std::string left = flag.letter != 0 ? std::string("  -") + flag.letter + ", --" : std::string("      --");
    left += flag.name;
    if (!flag.value_name.empty()) left += (flag.value_name.front() == '[' ? "" : " ") + std::string(flag.value_name);
    text += left + std::string(left.size() < 52 ? 52 - left.size() : 1, ' ') + std::string(flag.sentence) + "\n";
  }
  return text;
}

std::string working_directory() {
  char buffer[4096];  // PATH_MAX; not std::filesystem, which is 0.1 MB
  return ::getcwd(buffer, sizeof buffer) != nullptr ? buffer : "";
}

std::string absolute_path(const std::string& path) { return !path.empty() && path.front() == '/' ? path : working_directory() + "/" + path; }

int complain(std::span<const Error> errors) {
  for (const Error& error : errors) std::fputs(report::error_text(error).c_str(), stderr);
  return errors.empty() ? 0 : exit_status(errors.front().kind);
}

bool finished(const Parsed& parsed, std::string_view name, int& status) {
  if (parsed.help) {
    const auto command = std::find_if(std::begin(kCommands), std::end(kCommands), [&](const Command& c) { return c.name == name; });
    std::printf("%s\n\nusage: kubejoin %s %s\n\n%s", std::string(command->sentence).c_str(), std::string(name).c_str(), std::string(command->synopsis).c_str(),
                flag_help(command->flags()).c_str());
    status = 0;
    return true;
  }
  status = complain(parsed.errors);
  return status != 0;
}

int run(std::vector<std::string> argv) {
  const std::string self = argv.empty() ? "kubejoin" : argv.front().substr(argv.front().rfind('/') + 1);
  std::vector<std::string> arguments(argv.empty() ? argv.begin() : argv.begin() + 1, argv.end());
  if (self == "kubeadm") return run_as_kubeadm(std::move(arguments));
  if (arguments.empty() || arguments.front() == "help" || arguments.front() == "--help" || arguments.front() == "-h") return help();
  const std::string name = arguments.front() == "--version" ? "version" : arguments.front();
  arguments.erase(arguments.begin());
  std::vector<std::string> names;
  for (const Command& command : kCommands) {
    if (command.name == name) return command.run({std::move(arguments), false});
    names.emplace_back(command.name);
  }
  const auto nearest = did_you_mean(name, names);
  const Error error = usage("usage.unknown-command", "unknown command: " + quoted(name), nearest ? "did you mean kubejoin " + *nearest + "?" : kHelpHint);
  return complain({&error, 1});
}

}  // namespace kubejoin::cli
