// The command line: the forms that GNU and pflag take, kubeadm's flags, and what a mistake answers.
#include "cli/command.h"

#include <map>
#include <set>

#include "../captured.h"
#include "../test.h"
#include "base/text.h"

using namespace kubejoin;
using namespace kubejoin::cli;

namespace {

struct Read {
  std::map<std::string, std::vector<std::string>> values;
  Parsed parsed;
};
Read read_flags(const std::vector<std::string>& arguments) {
  Read result;
  const auto keep = [&result](const char* name) { return [&result, name](const std::string& v) { return result.values[name].push_back(v), Status{}; }; };
  const std::vector<Flag> flags = {{"token", 0, "TOKEN", "", keep("token")}, {"dry-run", 0, "", "", keep("dry-run")}, {"v", 'v', "LEVEL", "", keep("v")},
                                   {"wait", 0, "[=DURATION]", "", keep("wait")}, {"output", 'o', "FORMAT", "", keep("output")}};
  result.parsed = parse(arguments, flags);
  return result;
}

struct Ran {
  int status;
  std::string printed;
};
Ran run_program(std::vector<std::string> argv) {
  Captured captured;
  const int status = run(std::move(argv));
  return {status, captured.text()};
}

}  // namespace

TEST_CASE("cli::parse: every form of a flag") {
  const struct {
    std::vector<std::string> arguments;
    const char *name, *values, *positionals, *error;
  } kRows[] = {
      {{"--token", "a", "host:1"}, "token", "a", "host:1", ""},
      {{"host:1", "--token=a"}, "token", "a", "host:1", ""},
      {{"--token=a", "host:1", "--token", "b"}, "token", "a b", "host:1", ""},
      {{"--token="}, "token", "", "", ""},
      {{"--token=a=b"}, "token", "a=b", "", ""},
      {{"--token"}, "token", "", "", "usage.missing-value"},
      {{"--dry-run"}, "dry-run", "true", "", ""},
      {{"--dry-run=false"}, "dry-run", "false", "", ""},
      {{"--dry-run", "false"}, "dry-run", "true", "false", ""},
      {{"--dry-run=perhaps"}, "dry-run", "", "", "usage.not-a-bool"},
      {{"-v", "5"}, "v", "5", "", ""},
      {{"-v5"}, "v", "5", "", ""},
      {{"-v=5"}, "v", "5", "", ""},
      {{"--v=5"}, "v", "5", "", ""},
      {{"--v", "5"}, "v", "5", "", ""},
      {{"-ojson"}, "output", "json", "", ""},
      {{"--wait", "host:1"}, "wait", "", "host:1", ""},
      {{"--wait=5m"}, "wait", "5m", "", ""},
      {{"--", "--token", "-v"}, "token", "", "--token -v", ""},
      {{"-"}, "token", "", "-", ""},
      {{"--tokn", "a"}, "token", "", "a", "usage.unknown-flag"},
      {{"-x"}, "token", "", "", "usage.unknown-flag"},
      {{"--o", "json"}, "output", "json", "", ""},  // as --v
  };
  for (const auto& row : kRows) {
    CAPTURE(join(row.arguments, " "));
    Read result = read_flags(row.arguments);
    CHECK(join(result.values[row.name], " ") == row.values);
    CHECK(join(result.parsed.positionals, " ") == row.positionals);
    CHECK((result.parsed.errors.empty() ? "" : result.parsed.errors[0].id) == row.error);
    for (const Error& error : result.parsed.errors) CHECK(exit_status(error.kind) == 64);
  }
  CHECK(read_flags({"--help"}).parsed.help);
  CHECK(read_flags({"-h"}).parsed.help);
  CHECK_FALSE(read_flags({"--", "--help"}).parsed.help);
  CHECK(read_flags({"--tokn=abcdef.0123456789abcdef"}).parsed.errors[0].hint == "did you mean --token?");
}

TEST_CASE("cli: a mistake on the command line ends before anything, with 64, and shows no token") {
  const struct {
    std::vector<std::string> argv;
    int status;
    const char* says;
  } kRows[] = {
      {{"kubejoin", "jion"}, 64, "did you mean kubejoin join?"},
      {{"kubejoin", "join", "--tokne", "x"}, 64, "did you mean --token?"},
      {{"kubejoin", "join", "--abcdef.0123456789abcdef"}, 64, "unknown flag: --abcdef.\xE2\x80\xA6"},
      {{"kubejoin", "join", "phase", "nonsense"}, 64, "invalid phase name: nonsense"},
      {{"kubejoin", "join", "1.2.3.4:6443", "--token", "abcdef.0123456789abcdef", "--discovery-token-unsafe-skip-ca-verification", "--skip-phases", "nonsense"}, 64, "invalid phase name: nonsense"},
      {{"kubejoin", "join", "1.2.3.4:6443", "--token", "abcdef.0123456789abcdef", "--discovery-token-unsafe-skip-ca-verification", "--wait", "long"}, 64, "--wait is identity, registered or ready"},
      {{"kubejoin", "join", "-v", "much"}, 64, "-v takes a number"},
      {{"kubejoin", "join"}, 65, "bootstrapToken or file must be set"},
      {{"kubejoin", "join", "--config", "/does/not/exist"}, 71, "No such file"},
      {{"kubejoin", "status", "--wait=never"}, 64, "--wait takes a duration"},
      {{"kubeadm", "init"}, 1, "not this program"},
      {{"kubeadm", "reset", "--nonsense"}, 1, "unknown flag: --nonsense"},
      {{"kubeadm", "join", "--config", "/does/not/exist"}, 1, "No such file"},
      {{"/usr/bin/kubeadm", "join", "--unknown"}, 1, "unknown flag: --unknown"},
  };
  for (const auto& row : kRows) {
    CAPTURE(join(row.argv, " "));
    const Ran ran = run_program(row.argv);
    CHECK(ran.status == row.status);
    CHECK_MESSAGE(ran.printed.find(row.says) != std::string::npos, ran.printed);
    CHECK(ran.printed.find("0123456789abcdef") == std::string::npos);
  }
}

TEST_CASE("cli: help, on stdout, with 0, and it names every command and flag") {
  const std::string help = run_program({"kubejoin", "--help"}).printed;
  for (const cli::Command& command : commands()) {
    CAPTURE(command.name);
    CHECK(help.find("\n  " + std::string(command.name)) != std::string::npos);
    if (command.flags == nullptr || command.flags().empty()) continue;
    const Ran ran = run_program({"kubejoin", std::string(command.name), "--help"});
    CHECK(ran.status == 0);
    for (const Flag& flag : command.flags()) CHECK_MESSAGE(ran.printed.find("--" + std::string(flag.name)) != std::string::npos, flag.name);
  }
  CHECK(run_program({"kubejoin"}).status == 0);
}

// kubeadm's worker flags of 1.9 to 1.37 (cmd/kubeadm/app/cmd/join.go of each).
TEST_CASE("cli: join takes every worker flag that kubeadm ever had") {
  std::set<std::string_view> ours;
  for (const Flag& flag : join_flags()) CHECK_MESSAGE(ours.insert(flag.name).second, flag.name);
  for (const char* flag : {"config", "cri-socket", "discovery-file", "discovery-token", "discovery-token-ca-cert-hash", "discovery-token-unsafe-skip-ca-verification", "feature-gates",
                           "ignore-preflight-errors", "node-name", "tls-bootstrap-token", "token", "patches", "dry-run", "skip-phases", "rootfs", "v", "skip-headers", "skip-log-headers"})
    CHECK_MESSAGE(ours.contains(flag), flag);
}
