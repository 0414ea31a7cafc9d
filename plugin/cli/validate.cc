// kubejoin validate: what a boot would say, on a laptop.
#include <cstdio>
#include <iterator>
#include <iostream>

#include "base/text.h"
#include "cli/command.h"
#include "cli/surroundings.h"
#include "config/user_data.h"
#include "parse/path.h"
#include "report/error_text.h"
#include "report/json.h"
#include "source/source.h"

namespace kubejoin::cli {
namespace {

constexpr std::size_t kMaxUserData = 10 << 20;

struct ValidateOptions {
  std::string output = "text";
  std::string platform;
};

Status set_output(std::string& into, const std::string& value, std::initializer_list<std::string_view> allowed) {
  for (const std::string_view one : allowed)
    if (value == one) return into = value, Status{};
  std::string names;
  for (const std::string_view one : allowed) names += (names.empty() ? "" : ", ") + std::string(one);
  return fail(Kind::usage, "usage.output", "-o takes " + names + ", not " + quoted(value));
}

std::vector<Flag> flags_into(ValidateOptions& o) {
  return {{"output", 'o', "text|json", "how to tell", [&o](const std::string& v) { return set_output(o.output, v, {"text", "json"}); }},
          {"platform", 0, "NAME", "warn when the user-data exceeds this platform's limit", [&o](const std::string& v) { return o.platform = v, Status{}; }}};
}

// Bounded whatever the pipe brings: one byte more than the limit tells that it is too large.
Result<std::string> read_stdin() {
  std::string bytes;
  char buffer[1 << 16];
  while (bytes.size() <= kMaxUserData && std::cin.read(buffer, sizeof buffer).gcount() > 0) bytes.append(buffer, static_cast<std::size_t>(std::cin.gcount()));
  if (bytes.size() > kMaxUserData) return fail(Kind::invalid, "file.too-large", "stdin holds more than the 10 MiB that kubejoin reads");
  return bytes;
}

// An error, and the field that it is about.
struct Finding {
  Error error;
  std::string path;
};
struct Findings {
  std::vector<Finding> errors, warnings;
  std::vector<std::string> not_ours;  // files without an error, from which no machine joins
  std::vector<std::string> notes;  // for people
};

Finding about(const std::string& file, Error error) {
  error.place.file = file;
  return {std::move(error), {}};
}

// What is missing is said of the map that lacks it; all else of the innermost field at its place.
std::string path_of(const Error& error, const std::vector<parse::Document>& documents) {
  const bool lacks = error.id == "schema.required" || error.id.ends_with("-missing") || error.id == "config.discovery-both";
  for (const parse::Document& document : documents)
    if (std::string path = parse::path_at(document, error.place, lacks); !path.empty()) return path;
  return {};
}

Result<const source::Source*> find_platform(const std::string& name) {
  std::vector<std::string> names;
  for (const source::Source& row : source::sources()) {
    if (row.name == name) return &row;
    names.emplace_back(row.name);
  }
  const auto nearest = did_you_mean(name, names);
  return fail(Kind::usage, "usage.platform", "unknown platform " + quoted(name), nearest ? "did you mean " + *nearest + "?" : "kubejoin query --list-sources");
}

void check_limit(const std::string& file, std::size_t size, const source::Source& platform, Findings& findings) {
  if (platform.user_data_limit == 0 || size <= platform.user_data_limit) return;
  findings.warnings.push_back(about(file, fail(Kind::invalid, "platform.limit",
                                               std::to_string(size) + " bytes of user-data are more than the " + std::to_string(platform.user_data_limit) + " that " +
                                                   std::string(platform.title) + " takes", "gzip it: kubejoin reads that").value()));
}

// What cannot be read is named as the user names it.
Result<std::string> read_file(Host& host, const std::string& file) {
  if (file == "-") return read_stdin();
  const std::string path = absolute_path(file);
  auto bytes = host.read(path, kMaxUserData);
  if (!bytes) bytes.error().message = replace_all(bytes.error().message, path, file);
  return bytes;
}

// What is known to be for somebody else is no mistake, but a person who validates it must see that it joins no machine.
void add_unconcerned(const std::string& file, const config::Unconcerned& unconcerned, Findings& findings) {
  using Why = config::Unconcerned::Why;
  if (unconcerned.why == Why::not_read) return findings.not_ours.push_back(file);  // its warnings say what was not read
  const bool known = unconcerned.why == Why::for_others;
  const std::string message = known ? "nothing here is for kubejoin: it " + unconcerned.sentence() : "no document that kubejoin reads was found" + (unconcerned.what.empty() ? "" : ": this is " + unconcerned.what);
  Error e = fail(Kind::invalid, known ? "config.for-others" : "config.no-document", message, unconcerned.hint).value();
  if (known) e.place = unconcerned.place;
  e.place.part.clear();
  (known ? findings.warnings : findings.errors).push_back(about(file, std::move(e)));
  if (known) findings.not_ours.push_back(file);
}

// What runs a join that is no document of ours, and what of it nobody can judge before.
std::string note_of(const config::CommandLines::Join& join) {
  std::string text = "kubejoin: note: " + printable(join.place.file) + ": " + config::sentence(join);
  if (join.for_control_plane) return text + "; it is for a control plane and was not judged\n";
  for (const std::string& name : join.variables) text += (&name == &join.variables.front() ? "; not judged: $" : ", $") + printable(name, 60);
  return text + "\n";
}

void check(const std::string& file, Result<std::string> bytes, const source::Source* platform, Findings& findings) {
  if (!bytes) return findings.errors.push_back(about(file, std::move(bytes).error()));
  if (platform != nullptr) check_limit(file, bytes->size(), *platform, findings);
  // The host name stands in for the machine's: its value is no part of the verdict.
  config::UserData read = config::read_user_data(*bytes, file, nullptr, {}, surroundings_of("localhost"));
  config::Loaded& loaded = read.loaded;
  // A join that a script runs by itself is what the file is about.
  const bool by_itself = !read.commands.joins.empty() || !read.commands.errors.empty();
  if (read.unconcerned && !(by_itself && read.unconcerned->why == config::Unconcerned::Why::no_document)) add_unconcerned(file, *read.unconcerned, findings);
  const auto add = [&](std::vector<Error>& from, std::vector<Finding>& to) {
    for (Error& e : from) {
      std::string path = path_of(e, read.documents);
      to.push_back({std::move(e), std::move(path)});
    }
  };
  for (auto [from, to] : {std::pair(&loaded.errors, &findings.errors), std::pair(&read.commands.errors, &findings.errors), std::pair(&read.in_templates.errors, &findings.errors),
                          std::pair(&loaded.warnings, &findings.warnings), std::pair(&read.commands.warnings, &findings.warnings),
                          std::pair(&read.in_templates.warnings, &findings.warnings)})
    add(*from, *to);
  for (const config::CommandLines::Join& join : read.commands.joins) findings.notes.push_back(note_of(join));
}

void write_list(report::JsonWriter& json, std::string_view name, const std::vector<Finding>& findings) {
  json.begin_list(name);
  for (const auto& [error, path] : findings) {
    const Place& place = error.place;
    json.begin().text("file", place.file).text("path", path).text("part", place.part).number("line", place.line).number("column", place.column);
    json.text("rule", error.id).text("message", error.message).text("hint", error.hint).end();
  }
  json.end_list();
}

// In the form of schemas/validation-v1.json.
std::string to_json(const std::vector<std::string>& files, const Findings& findings) {
  report::JsonWriter json;
  json.begin().boolean("valid", findings.errors.empty()).begin_list("files");
  for (const std::string& file : files) json.item(file);
  json.end_list();
  write_list(json, "errors", findings.errors);
  write_list(json, "warnings", findings.warnings);
  return json.end().take();
}

}  // namespace

std::vector<Flag> validate_flags() {
  static ValidateOptions unused;
  return flags_into(unused);
}

int run_validate(const Invocation& invocation) {
  ValidateOptions options;
  const std::vector<Flag> flags = flags_into(options);
  Parsed parsed = parse(invocation.arguments, flags);
  int status = 0;
  if (finished(parsed, "validate", status)) return status;
  if (parsed.positionals.empty()) {
    const Error e = fail(Kind::usage, "usage.no-file", "kubejoin validate needs a file", "kubejoin validate user-data.yaml, or - for stdin").value();
    return complain({&e, 1});
  }
  const source::Source* platform = nullptr;
  if (!options.platform.empty()) {
    const auto known = find_platform(options.platform);
    if (!known) return complain({&known.error(), 1});
    platform = *known;
  }
  auto host = make_real_host();
  Findings all;
  std::vector<std::string> valid;
  for (const std::string& file : parsed.positionals) {
    const std::size_t errors = all.errors.size(), not_ours = all.not_ours.size();
    check(file, read_file(*host, file), platform, all);
    if (all.errors.size() == errors && all.not_ours.size() == not_ours) valid.push_back(file);
  }
  if (options.output == "json") {
    std::printf("%s\n", to_json(parsed.positionals, all).c_str());
  } else {
    for (const Finding& warning : all.warnings) std::fputs(report::error_text(warning.error, "warning").c_str(), stderr);
    for (const Finding& error : all.errors) std::fputs(report::error_text(error.error).c_str(), stderr);
    for (const std::string& note : all.notes) std::fputs(note.c_str(), stderr);
    if (!valid.empty()) std::printf("valid: %s\n", join(valid, " ").c_str());
  }
  return all.errors.empty() ? 0 : exit_status(Kind::invalid);
}

}  // namespace kubejoin::cli
