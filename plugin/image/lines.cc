// What one line of a configuration gives away.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "image/traces.h"

namespace kubejoin::image {
namespace {

constexpr std::size_t kLargestConfig = 4 << 20;

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_comment(std::string_view line) { return line.empty() || line[0] == '#' || line[0] == ';'; }

// Six pairs of hexadecimal digits with ':' or '-' between them that are no part of something longer; not those of no card or of all.
std::size_t first_address(std::string_view line) {
  constexpr std::size_t kSize = 17;
  const auto fits = [&](std::size_t at) {
    for (std::size_t i = 0; i < kSize; ++i)
      if (i % 3 == 2 ? line[at + i] != line[at + 2] : !is_hex(line[at + i])) return false;
    return line[at + 2] == ':' || line[at + 2] == '-';
  };
  const auto goes_on = [&](std::size_t at) { return at < line.size() && (is_hex(line[at]) || line[at] == ':' || line[at] == '-'); };
  const auto has_begun = [&](std::size_t at) { return at > 0 && (is_hex(line[at - 1]) || (at > 1 && goes_on(at - 1) && is_hex(line[at - 2]))); };
  for (std::size_t at = 0; at + kSize <= line.size(); ++at) {
    if (!fits(at) || has_begun(at) || goes_on(at + kSize)) continue;
    const std::string_view address = line.substr(at, kSize);
    if (address.find_first_not_of("0:-") != address.npos && address.find_first_not_of("fF:-") != address.npos) return at;
  }
  return line.npos;
}

// "key = value" and "key: value", the key without quotes and in lower case; no value: none is set.
struct Setting {
  std::string key;
  std::string_view value;
};
Setting setting_of(std::string_view line, char between) {
  const std::size_t at = line.find(between);
  if (at == line.npos) return {};
  const auto bare = [](std::string_view text) {
    text = trim(text);
    while (!text.empty() && (text.front() == '"' || text.front() == '\'')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == '"' || text.back() == '\'' || text.back() == ',')) text.remove_suffix(1);
    return text;
  };
  return {lower(bare(line.substr(0, at))), bare(line.substr(at + 1))};
}

}  // namespace

std::vector<Spot> look_for_address(std::string_view line) {
  const std::size_t at = first_address(line);
  if (at == line.npos) return {};
  return {{at, "names the build machine's card " + std::string(line.substr(at, 17))}};
}

std::vector<Spot> look_for_card(std::string_view line) {
  if (line.starts_with("UUID=")) return {{0, "names the build machine's connection"}};  // ifcfg's; a keyfile's may be referred to
  return look_for_address(line);
}

std::vector<Spot> look_for_registry_login(std::string_view line) {
  constexpr std::array<std::string_view, 6> kKeys = {"auth", "password", "identitytoken", "identity_token", "authorization", "registrytoken"};
  const Setting setting = setting_of(line, '=');
  if (std::find(kKeys.begin(), kKeys.end(), setting.key) == kKeys.end() || setting.value.empty() || setting.value.front() == '{') return {};
  return {{0, "is a login of a registry (" + setting.key + ")"}};
}

std::vector<Spot> look_for_npm_login(std::string_view line) {
  for (const char between : {'=', ':'}) {
    const Setting setting = setting_of(line, between);
    const bool is_login = setting.key.ends_with("_authtoken") || setting.key.ends_with("_auth") || setting.key.ends_with("_password") || setting.key == "npmauthtoken" || setting.key == "npmauthident";
    if (is_login && !setting.value.empty() && setting.value.front() != '$') return {{0, "is a login of a registry of packages"}};
  }
  return {};
}

void look_at_lines(Image& image, const Trace& trace, const std::string& path, Search& search) {
  const auto info = image.host.stat(path);
  if (!info || info->type != FileType::regular) return;
  const auto text = image.host.read(path, kLargestConfig);
  if (!text) {
    if (text.error().id != "file.absent") search.problems.push_back(text.error());
    return;
  }
  int number = 0;
  for (const std::string& line : split(*text, '\n')) {
    ++number;
    if (is_comment(trim(line))) continue;
    for (Spot& spot : trace.look(trim(line))) {
      search.findings.push_back({.check = std::string(trace.name), .path = path, .line = number, .what = std::move(spot.what), .cuts = trace.cuts});
      if (!trace.cuts) return;  // the file goes as a whole
    }
  }
}

}  // namespace kubejoin::image
