// kubejoin schema, version, completion: what the binary knows about itself.
#include <algorithm>
#include <cstdio>

#include "base/text.h"
#include "cli/command.h"
#include "plan/join_plan.h"
#include "schema/schema.h"
#include "schema/texts.h"
#include "source/source.h"

namespace kubejoin::cli {
namespace {

// kubeadm's release whose behaviour this program follows: what `kubeadm version -o short` says to tools that ask the link.
constexpr char kKubeadmRelease[] = "v1.37.2";
#ifdef __aarch64__
constexpr char kPlatform[] = "linux/arm64";
#else
constexpr char kPlatform[] = "linux/amd64";
#endif

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Command& command : commands()) names.emplace_back(command.name);
  return names;
}

std::vector<std::string> phase_names() {
  std::vector<std::string> names;
  for (const plan::Phase& phase : plan::kJoinPlan) names.emplace_back(phase.name);
  return names;
}

std::vector<std::string> schema_names() {
  std::vector<std::string> names;
  for (const schema::Version& version : schema::versions()) names.emplace_back(version.name);
  for (const auto& [name, text] : schema::schema_texts())
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
  return names;
}

// "text|json" says its values itself; others are known by the flag's name.
std::vector<std::string> values_of(const Flag& flag) {
  std::vector<std::string> values;
  if (flag.value_name.find('|') != std::string_view::npos) return split(flag.value_name, '|');
  if (flag.name == "source")
    for (const source::Source& row : source::sources()) values.push_back(std::string(row.scheme) + ":");
  if (flag.name == "platform")
    for (const source::Source& row : source::sources()) values.emplace_back(row.name);
  if (flag.name == "skip-phases") return phase_names();
  return values;
}

std::vector<std::string> flag_names(const Command& command) {
  std::vector<std::string> names;
  for (const Flag& flag : command.flags()) names.push_back("--" + std::string(flag.name));
  return names;
}

std::string bash_completion() {
  std::string text = "_kubejoin() {\n  local cur=${COMP_WORDS[COMP_CWORD]} words=\n  case \"${COMP_WORDS[1]} ${COMP_WORDS[COMP_CWORD-1]}\" in\n";
  const auto row = [&](const std::string& pattern, const std::vector<std::string>& words) { text += "    " + pattern + ") words='" + join(words, " ") + "' ;;\n"; };
  for (const Command& command : commands()) {
    const std::string name(command.name);
    for (const Flag& flag : command.flags())
      if (const auto values = values_of(flag); !values.empty())
        row("\"" + name + " --" + std::string(flag.name) + "\"" + (flag.letter != 0 ? "|\"" + name + " -" + flag.letter + "\"" : ""), values);
  }
  std::vector<std::string> phases = phase_names();
  phases.emplace_back("list");
  row("\"join phase\"", phases);
  row("\"schema \"*", schema_names());
  row("\"completion \"*", {"bash", "zsh", "fish"});
  for (const Command& command : commands()) {
    auto words = flag_names(command);
    if (command.name == "join") words.emplace_back("phase");
    if (!words.empty()) row("\"" + std::string(command.name) + " \"*", words);
  }
  text += "  esac\n  [ \"$COMP_CWORD\" -gt 1 ] || words='" + join(command_names(), " ") + "'\n";
  text += "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -o default -F _kubejoin kubejoin\n";
  return text;
}

std::string zsh_completion() { return "#compdef kubejoin\nautoload -U +X bashcompinit && bashcompinit\n" + bash_completion(); }

std::string fish_completion() {
  std::string text = "complete -c kubejoin -f -n __fish_use_subcommand -a '" + join(command_names(), " ") + "'\n";
  const auto seen = [](std::string_view command) { return "complete -c kubejoin -n '__fish_seen_subcommand_from " + std::string(command) + "'"; };
  for (const Command& command : commands())
    for (const Flag& flag : command.flags()) {
      const auto values = values_of(flag);
      text += seen(command.name) + " -l " + std::string(flag.name) + (flag.letter != 0 ? std::string(" -s ") + flag.letter : "") +
              (values.empty() ? "" : " -x -a '" + join(values, " ") + "'") + " -d '" + replace_all(std::string(flag.sentence), "'", "\\'") + "'\n";
    }
  text += seen("schema") + " -f -a '" + join(schema_names(), " ") + "'\n" + seen("completion") + " -f -a 'bash zsh fish'\n";
  text += seen("join") + " -f -a 'phase " + join(phase_names(), " ") + "'\n";
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
  if (!parsed.positionals.empty()) {
    const std::string& wanted = parsed.positionals.front();
    for (const auto& [name, text] : schema::schema_texts())
      if (name == wanted) return std::fputs(std::string(text).c_str(), stdout), 0;
    const auto nearest = did_you_mean(wanted, schema_names());
    return refuse("no schema named " + quoted(wanted), nearest ? "did you mean " + *nearest + "?" : "kubejoin schema lists them");
  }
  std::vector<std::string> outputs = schema_names();
  for (const schema::Version& version : schema::versions()) {
    std::erase(outputs, version.name);
    std::printf("%-18s %s %s%s\n", std::string(version.name).c_str(), std::string(version.api_version).c_str(), std::string(version.kind).c_str(),
                version.note.empty() ? "" : (" (" + std::string(version.note) + ")").c_str());
  }
  for (const std::string& name : outputs) std::printf("%-18s what kubejoin writes\n", name.c_str());
  return 0;
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
