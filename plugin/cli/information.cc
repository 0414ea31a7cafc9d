// kubejoin schema, version, completion: what the binary knows about itself.
#include <cstdio>

#include "base/text.h"
#include "cli/command.h"
#include "schema/schema.h"

namespace kubejoin::cli {
namespace {

// kubeadm's release whose behaviour this program follows: what `kubeadm version -o short` says to tools that ask the link.
constexpr char kKubeadmRelease[] = "v1.37.2";
#ifdef __aarch64__
constexpr char kPlatform[] = "linux/arm64";
#else
constexpr char kPlatform[] = "linux/amd64";
#endif

std::string command_names() {
  std::string names;
  for (const Command& command : commands()) names += (names.empty() ? "" : " ") + std::string(command.name);
  return names;
}

std::string flag_names(const Command& command) {
  std::string names;
  for (const Flag& flag : command.flags()) names += " --" + std::string(flag.name);
  return names;
}

std::string bash_completion() {
  std::string text = "_kubejoin() {\n  local cur=${COMP_WORDS[COMP_CWORD]} words\n  case ${COMP_WORDS[1]} in\n";
  for (const Command& command : commands()) {
    if (const std::string flags = flag_names(command); !flags.empty()) text += "    " + std::string(command.name) + ") words='" + flags.substr(1) + "' ;;\n";
  }
  text += "    schema) words='";
  for (const schema::Version& version : schema::versions()) text += std::string(version.name) + " ";
  text += "' ;;\n    completion) words='bash zsh fish' ;;\n  esac\n";
  text += "  [ \"$COMP_CWORD\" -gt 1 ] || words='" + command_names() + "'\n";
  text += "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\ncomplete -o default -F _kubejoin kubejoin\n";
  return text;
}

std::string zsh_completion() { return "#compdef kubejoin\nautoload -U +X bashcompinit && bashcompinit\n" + bash_completion(); }

std::string fish_completion() {
  std::string text = "complete -c kubejoin -f -n __fish_use_subcommand -a '" + command_names() + "'\n";
  for (const Command& command : commands())
    for (const Flag& flag : command.flags())
      text += "complete -c kubejoin -n '__fish_seen_subcommand_from " + std::string(command.name) + "' -l " + std::string(flag.name) + " -d '" +
              replace_all(std::string(flag.sentence), "'", "\\'") + "'\n";
  return text;
}

int refuse(std::string message, std::string hint) {
  const Error e = fail(Kind::usage, "usage.argument", std::move(message), std::move(hint)).value();
  return complain({&e, 1});
}

}  // namespace

int run_schema(const Invocation& invocation) {
  const Parsed parsed = parse(invocation.arguments, {});
  int status = 0;
  if (finished(parsed, "schema", status)) return status;
  std::vector<std::string> names;
  for (const schema::Version& version : schema::versions()) {
    names.emplace_back(version.name);
    if (!parsed.positionals.empty() && parsed.positionals.front() == version.name) {
      std::fputs(std::string(schema::schema_text(version)).c_str(), stdout);
      return 0;
    }
    if (parsed.positionals.empty())
      std::printf("%-18s %s %s%s\n", std::string(version.name).c_str(), std::string(version.api_version).c_str(), std::string(version.kind).c_str(),
                  version.note.empty() ? "" : (" (" + std::string(version.note) + ")").c_str());
  }
  if (parsed.positionals.empty()) return 0;
  const auto nearest = did_you_mean(parsed.positionals.front(), names);
  return refuse("no schema named " + quoted(parsed.positionals.front()), nearest ? "did you mean " + *nearest + "?" : "kubejoin schema lists them");
}

int run_version(const Invocation& invocation) {
  std::string output;
  const std::vector<Flag> flags = {{"output", 'o', "short|json|yaml", "how to print", [&](const std::string& v) { return output = v, Status{}; }}};
  const Parsed parsed = parse(invocation.arguments, flags);
  int status = 0;
  if (finished(parsed, "version", status)) return status;
  if (!output.empty() && output != "short" && output != "json" && output != "yaml") return refuse("-o is short, json or yaml, not " + quoted(output), "kubejoin version -o json");
  const std::string minor = split(kKubeadmRelease, '.')[1];
  if (invocation.as_kubeadm) {
    // Tools take the release out of each of these forms (cmd/kubeadm/app/cmd/version.go); gitCommit and buildDate would be another program's.
    if (output == "short") std::printf("%s\n", kKubeadmRelease);
    else if (output == "json")
      std::printf("{\n  \"clientVersion\": {\n    \"major\": \"1\",\n    \"minor\": \"%s\",\n    \"gitVersion\": \"%s\",\n    \"platform\": \"%s\"\n  },\n  \"kubejoin\": \"%s\"\n}\n", minor.c_str(), kKubeadmRelease,
                  kPlatform, KUBEJOIN_VERSION);
    else if (output == "yaml")
      std::printf("clientVersion:\n  gitVersion: %s\n  major: \"1\"\n  minor: \"%s\"\n  platform: %s\nkubejoin: %s\n", kKubeadmRelease, minor.c_str(), kPlatform, KUBEJOIN_VERSION);
    else
      std::printf("kubeadm version: &version.Info{Major:\"1\", Minor:\"%s\", GitVersion:\"%s\", Platform:\"%s\"} (kubejoin %s)\n", minor.c_str(), kKubeadmRelease, kPlatform, KUBEJOIN_VERSION);
    return 0;
  }
  if (output == "yaml") std::printf("version: %s\nkubeadm: %s\n", KUBEJOIN_VERSION, kKubeadmRelease);
  else if (output == "json") std::printf("{\"version\":\"%s\",\"kubeadm\":\"%s\"}\n", KUBEJOIN_VERSION, kKubeadmRelease);
  else if (output == "short") std::printf("%s\n", KUBEJOIN_VERSION);
  else std::printf("kubejoin %s (joins as kubeadm %s)\n", KUBEJOIN_VERSION, kKubeadmRelease);
  return 0;
}

int run_completion(const Invocation& invocation) {
  const Parsed parsed = parse(invocation.arguments, {});
  int status = 0;
  if (finished(parsed, "completion", status)) return status;
  const std::string shell = parsed.positionals.empty() ? "" : parsed.positionals.front();
  std::string text;
  if (shell == "bash") text = bash_completion();
  else if (shell == "zsh") text = zsh_completion();
  else if (shell == "fish") text = fish_completion();
  else return refuse("no completion for " + quoted(shell), "kubejoin completion bash|zsh|fish");
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace kubejoin::cli
