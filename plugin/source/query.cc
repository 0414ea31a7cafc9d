// What `kubejoin query` prints: metadata without secrets, and the table of sources.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "source/platform.h"

namespace kubejoin::source {
namespace {

constexpr std::string_view kRedacted = "redacted";
constexpr std::size_t kLongestShown = 16 << 10;
constexpr std::array<std::string_view, 6> kSecretWords = {"token", "pass", "secret", "key", "credential", "seed"};

// A secret is known by its name; a private key or a bootstrap token also by its look, whatever it is called.
std::string shown(const std::string& name, const std::string& value) {
  const std::string low = lower(name);
  const bool named_so = std::any_of(kSecretWords.begin(), kSecretWords.end(), [&](auto word) { return low.find(word) != low.npos; });
  const bool looks_so = value.find("PRIVATE KEY-----") != value.npos || without_tokens(value) != value;
  return named_so || looks_so ? std::string(kRedacted) : value;
}

bool at_or_below(const std::string& name, const std::string& path) {
  return path.empty() || name == path || (name.starts_with(path) && name[path.size()] == '.');
}

std::string user_data_size(const Fetched& fetched) {
  return fetched.none ? "none" : std::to_string(fetched.user_data.size()) + " bytes";
}

}  // namespace

Result<std::string> render_query(const Fetched& fetched, std::string_view path, bool json) {
  const std::string wanted = replace_all(std::string(path), "-", "_");
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& [name, value] : fetched.metadata.values)
    if (at_or_below(name, wanted)) found.emplace_back(name, shown(name, value));

  if (!wanted.empty() && found.empty()) {
    std::vector<std::string> names;
    for (const auto& [name, value] : fetched.metadata.values) names.push_back(name);
    const auto near = did_you_mean(wanted, names);
    return fail(Kind::usage, "query.absent", "unable to find " + quoted(path) + " in the metadata of " + fetched.origin,
                near ? "did you mean " + *near + "?" : "without a path everything is shown: kubejoin query");
  }
  const bool single = !wanted.empty() && found.size() == 1 && found.front().first == wanted;

  if (json) {
    if (single) return parse::to_json(parse::make_string(found.front().second)) + "\n";
    parse::Value values = parse::make_map();
    for (const auto& [name, value] : found) parse::set(values, name, parse::make_string(value));
    if (!wanted.empty()) return parse::to_json(values) + "\n";
    parse::Value all = parse::make_map();
    parse::set(all, "source", parse::make_string(fetched.source));
    parse::set(all, "origin", parse::make_string(fetched.origin));
    parse::set(all, "userDataBytes", parse::make_integer(static_cast<long long>(fetched.user_data.size())));
    parse::set(all, "metadata", std::move(values));
    return parse::to_json(all) + "\n";
  }

  if (single) return printable(found.front().second, kLongestShown) + "\n";
  std::string text;
  if (wanted.empty())
    text = "source: " + fetched.source + "\norigin: " + printable(fetched.origin) + "\nuser-data: " + user_data_size(fetched) + "\n";
  for (const auto& [name, value] : found) text += printable(name) + ": " + printable(value, kLongestShown) + "\n";
  return text;
}

std::string render_sources(bool json) {
  parse::Value list = parse::make_list();
  std::string text;
  for (const Source& source : sources()) {
    std::string line(source.scheme);
    line.resize(14, ' ');
    text += line + std::string(source.title) + ": " + std::string(source.recognised_by) + "\n";
    parse::Value row = parse::make_map();
    parse::set(row, "name", parse::make_string(std::string(source.name)));
    parse::set(row, "scheme", parse::make_string(std::string(source.scheme)));
    parse::set(row, "title", parse::make_string(std::string(source.title)));
    parse::set(row, "recognisedBy", parse::make_string(std::string(source.recognised_by)));
    parse::set(row, "userDataLimit", parse::make_integer(static_cast<long long>(source.user_data_limit)));
    list.items.push_back(std::move(row));
  }
  return json ? parse::to_json(list) + "\n" : text;
}

std::vector<std::pair<std::string, std::string>> variables(const Metadata& metadata) {
  auto all = metadata.values;
  for (const auto& [name, value] : metadata.values)
    if (name.starts_with("v1.")) all.emplace_back(name.substr(3), value);
  return all;
}

}  // namespace kubejoin::source
