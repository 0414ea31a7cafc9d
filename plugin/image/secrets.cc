// Secrets by their form, in text files anywhere a build may have left them.
//
// What counts, and what does not:
//   - a bootstrap token, [a-z0-9]{6}.[a-z0-9]{16}, that stands alone (not a part of a file name, a host name or a longer word); where its
//     secret half has no digit it may be two words, so the line must speak of a token;
//   - kubeadm's own example, abcdef.0123456789abcdef, is none: everybody knows it;
//   - a service account's token (a JWT), a private key in PEM, PuTTY's, age's or WireGuard's form with its content, a kubeconfig's client-key-data;
//   - a kubeconfig with any credential of its own; a password in a URL that stands in no comment and is no placeholder;
//   - binary files, and what packages and languages bring with them (documentation, test data, installed modules), are not looked into:
//     their examples are public; nor are the container images' own files. Journals and databases have rows of their own.
// In a file that the system needs, the lines that hold the secret go and the rest stays; any other goes as a whole.
#include <fnmatch.h>

#include <algorithm>
#include <array>

#include "base/secret.h"
#include "base/text.h"
#include "image/traces.h"

namespace kubejoin::image {
namespace {

constexpr std::size_t kLargestFile = 4 << 20;  // bytes; larger ones are told as not searched
constexpr int kMostFiles = 300'000;
constexpr int kDeepest = 24;

constexpr std::array<std::string_view, 12> kPlaces = {"/etc", "/root", "/home", "/var", "/tmp", "/opt", "/srv", "/usr/local", "/usr/lib/kubejoin", "/usr/lib/systemd/system", "/boot/loader", "/boot/grub"};
constexpr std::array<std::string_view, 8> kNotOurs = {"/var/lib/dpkg", "/var/lib/rpm", "/var/lib/containerd", "/var/lib/docker", "/var/lib/containers", "/var/lib/lxcfs", "/var/cache/apt", "/usr/local/go"};
constexpr std::array<std::string_view, 7> kNotOursAnywhere = {"dist-packages", "site-packages", "node_modules", "testdata", "doc", "man", "overlay2"};

// Made of lines that mean something alone, and missed when they are gone; '*' matches '/' too.
constexpr std::array<const char*, 21> kOfLines = {"/etc/environment", "/etc/environment.d/*", "/etc/profile", "/etc/profile.d/*", "/etc/bash.bashrc", "/etc/bashrc", "/etc/apt/apt.conf*", "/etc/apt/sources.list",
                                                  "/etc/apt/sources.list.d/*.list", "/etc/yum.conf", "/etc/yum.repos.d/*", "/etc/dnf/dnf.conf", "/etc/wgetrc", "/etc/pip.conf", "/etc/default/*", "/etc/sysconfig/*",
                                                  "/etc/systemd/*", "/etc/fstab", "/etc/hosts", "/etc/cron*", "/etc/sudoers*"};
bool is_of_lines(const std::string& path) {
  return std::any_of(kOfLines.begin(), kOfLines.end(), [&](const char* pattern) { return ::fnmatch(pattern, path.c_str(), 0) == 0; });
}

constexpr std::string_view kExample = "abcdef.0123456789abcdef";

bool is_token_char(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_word_char(char c) { return is_token_char(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '@' || c == '/'; }
bool is_base64_char(char c) { return is_token_char(c) || (c >= 'A' && c <= 'Z') || c == '+' || c == '/' || c == '=' || c == '-' || c == '_'; }

// The line, or as much of a long one as says what something is.
std::string_view line_around(std::string_view text, std::size_t at) {
  constexpr std::size_t kFar = 512;
  const std::size_t from = at > kFar ? at - kFar : 0;
  const std::string_view near = text.substr(from, 2 * kFar);
  const std::size_t here = at - from, begin = here == 0 ? 0 : near.rfind('\n', here - 1) + 1;  // npos + 1 is 0
  return near.substr(begin, std::min(near.find('\n', here), near.size()) - begin);
}

std::size_t count_base64(std::string_view text, std::size_t at) {
  std::size_t n = 0;
  while (at + n < text.size() && is_base64_char(text[at + n])) ++n;
  return n;
}

// The first bootstrap token; npos when there is none.
std::size_t first_token(std::string_view text) {
  constexpr std::size_t kId = 6, kSecret = 16, kWhole = kId + 1 + kSecret;
  for (std::size_t dot = text.find('.'); dot != text.npos; dot = text.find('.', dot + 1)) {
    if (dot < kId || dot + kSecret >= text.size()) continue;
    const std::size_t begin = dot - kId;
    const std::string_view token = text.substr(begin, kWhole), id = token.substr(0, kId), secret = token.substr(kId + 1);
    if (!std::all_of(id.begin(), id.end(), is_token_char) || !std::all_of(secret.begin(), secret.end(), is_token_char)) continue;
    if (begin > 0 && (is_word_char(text[begin - 1]) || text[begin - 1] == '.')) continue;
    const std::string_view rest = text.substr(begin + kWhole);
    if (!rest.empty() && (is_word_char(rest[0]) || (rest[0] == '.' && rest.size() > 1 && is_word_char(rest[1])))) continue;
    if (token == kExample) continue;
    if (std::none_of(secret.begin(), secret.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      const std::string line = lower(line_around(text, begin));
      if (line.find("token") == line.npos && line.find("bearer") == line.npos) continue;
    }
    return begin;
  }
  return text.npos;
}

// A JWT: three base64url parts, the first two of them JSON objects ("eyJ" is {" in base64).
std::size_t first_jwt(std::string_view text) {
  std::size_t head = 0;
  for (std::size_t at = text.find("eyJ"); at != text.npos; at = text.find("eyJ", at + head)) {
    head = count_base64(text, at);  // whatever begins within it ends with it, and is no head either
    const std::size_t second = at + head + 1;
    if (head < 16 || second >= text.size() || text[second - 1] != '.' || text.substr(second, 3) != "eyJ") continue;
    const std::size_t body = count_base64(text, second), third = second + body + 1;
    if (third < text.size() && text[third - 1] == '.' && count_base64(text, third) >= 40) return at;
  }
  return text.npos;
}

// So many characters of base64 from `at`, after blanks and a quote.
bool has_base64(std::string_view text, std::size_t at, std::size_t enough) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '"' || text[at] == ':' || text[at] == '=')) ++at;
  return count_base64(text.substr(0, std::min(text.size(), at + enough)), at) >= enough;
}

// "-----BEGIN RSA PRIVATE KEY-----" with its content: a program that looks for such lines has the first line alone.
std::size_t first_pem_key(std::string_view text) {
  for (const std::string_view end : {"PRIVATE KEY-----", "PRIVATE KEY BLOCK-----", "OpenVPN Static key V1-----"}) {
    for (std::size_t at = text.find(end); at != text.npos; at = text.find(end, at + 1)) {
      if (line_around(text, at).find("-----BEGIN ") == text.npos) continue;
      const std::string_view body = text.substr(at + end.size(), 400);
      for (std::size_t i = 0; i < body.size(); ++i) {
        const std::size_t run = count_base64(body, i);
        if (run >= 32 && body.substr(i, 5) != "-----") return at;
        i += run;
      }
    }
  }
  return text.npos;
}

std::size_t first_private_key(std::string_view text) {
  if (const std::size_t at = first_pem_key(text); at != text.npos) return at;
  const struct {
    std::string_view mark;
    std::size_t enough;  // characters of the key behind it
  } kForms[] = {{"client-key-data", 40}, {"AGE-SECRET-KEY-1", 40}, {"PrivateKey = ", 43}, {"PrivateKey=", 43}, {"PuTTY-User-Key-File-", 1}};
  for (const auto& form : kForms)
    for (std::size_t at = text.find(form.mark); at != text.npos; at = text.find(form.mark, at + 1))
      if (has_base64(text, at + form.mark.size(), form.enough)) return at;
  return text.npos;
}

// What stands where a value will be, or has been taken out.
bool is_placeholder(std::string_view value) {
  constexpr std::array<std::string_view, 13> kWords = {"password", "passwd", "passphrase", "pass", "pwd", "pw", "yourpassword", "your-password", "your_password", "mypassword", "redacted", "token", "secret"};
  const std::string word = lower(value);
  if (word.empty() || word.find_first_not_of("x*.-_") == word.npos) return true;
  return word.find_first_of("<>{}[]()$^*|\\") != word.npos || word.starts_with("%s") || std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

// The password's place in "scheme://user:password@host", nothing when it holds none.
std::size_t password_in_url(std::string_view text, std::size_t scheme_end) {
  constexpr std::size_t kLongest = 512;
  const std::size_t begin = scheme_end + 3;
  const std::string_view rest = text.substr(begin, kLongest);
  const std::string_view authority = rest.substr(0, std::min(rest.find_first_of("/ \t\r\n\"'`<>,;"), rest.size()));
  const std::size_t at = authority.rfind('@'), colon = authority.find(':');
  if (at == authority.npos || colon >= at || at + 1 == authority.size()) return text.npos;
  if (is_placeholder(authority.substr(colon + 1, at - colon - 1)) || authority.substr(0, colon).find_first_of("<>{}[]()$*|\\") != authority.npos) return text.npos;
  const std::string_view host = authority.substr(at + 1);
  const bool is_host = is_token_char(host[0]) || (host[0] >= 'A' && host[0] <= 'Z') || host[0] == '[';
  const std::string_view name = host.substr(0, host.find(':'));
  if (!is_host || name == "host" || name == "hostname" || name.ends_with("example.com") || name.ends_with("example.org") || name.ends_with("example.net")) return text.npos;
  return begin + colon + 1;
}

bool is_in_comment(std::string_view text, std::size_t at) {
  const std::string_view line = trim(line_around(text, at));
  return line.starts_with('#') || line.starts_with("//") || line.starts_with(';') || line.starts_with("* ");
}

std::size_t first_password(std::string_view text) {
  for (std::size_t at = text.find("://"); at != text.npos; at = text.find("://", at + 3)) {
    if (at == 0 || !is_token_char(text[at - 1])) continue;
    if (const std::size_t found = password_in_url(text, at); found != text.npos && !is_in_comment(text, at)) return found;
  }
  return text.npos;
}

// The value of a line that begins with `key` and a colon, as YAML and JSON have them; what refers to a file is none.
std::size_t first_value(std::string_view text, std::string_view key) {
  for (std::size_t at = text.find(key); at != text.npos; at = text.find(key, at + key.size())) {
    if (at > 0 && (is_word_char(text[at - 1]) || text[at - 1] == '.')) continue;
    std::size_t value = at + key.size();
    if (value < text.size() && text[value] == '"') ++value;
    if (value >= text.size() || text[value] != ':') continue;
    ++value;
    while (value < text.size() && (text[value] == ' ' || text[value] == '"' || text[value] == '\'')) ++value;
    const std::string_view rest = text.substr(value, 4096);
    const std::string_view word = rest.substr(0, std::min(rest.find_first_of(" \t\r\n\"',}"), rest.size()));
    if (word.size() >= 4 && !is_placeholder(word)) return at;
  }
  return text.npos;
}

std::size_t first_kubeconfig(std::string_view text) {
  constexpr std::array<std::string_view, 4> kKinds = {"kind: Config\n", "kind: Config\r", "\"kind\":\"Config\"", "\"kind\": \"Config\""};
  if (std::none_of(kKinds.begin(), kKinds.end(), [&](std::string_view kind) { return text.find(kind) != text.npos; })) return text.npos;
  for (const std::string_view key : {"client-key-data", "token", "password", "client-secret", "id-token", "refresh-token"})
    if (const std::size_t at = first_value(text, key); at != text.npos) return at;
  return text.npos;
}

class Walk {
 public:
  Walk(Image& image, Search& search) : image_(image), search_(search) {
    for (const Trace& trace : traces())
      if (trace.look != nullptr && trace.paths.empty() && !image.keeps(trace.name)) rows_.push_back(&trace);
  }

  void run() {
    if (rows_.empty()) return;
    files_at_the_root();
    for (const std::string_view place : kPlaces) folder(std::string(place), 0);
    if (search_.files_searched >= kMostFiles)
      search_.problems.push_back(fail(Kind::machine, "image.too-many-files", "unable to search all files for secrets: there are more than " + std::to_string(kMostFiles),
                                      "take data out of the image").value());
  }

 private:
  // Other file systems are mounted on the folders there.
  void files_at_the_root() {
    const auto names = image_.host.list("/");
    if (!names) return search_.problems.push_back(names.error());
    for (const std::string& name : *names)
      if (const auto info = image_.host.stat("/" + name); info && info->type == FileType::regular && info->size > 0) file("/" + name, info->size);
  }

  void folder(const std::string& path, int depth) {
    if (depth > kDeepest || std::find(kNotOurs.begin(), kNotOurs.end(), path) != kNotOurs.end()) return;
    const auto names = image_.host.list(path);
    if (!names) {
      if (names.error().id != "file.absent") search_.problems.push_back(names.error());
      return;
    }
    for (const std::string& name : *names) {
      const std::string below = path + "/" + name;
      const auto info = image_.host.stat(below);
      if (!info || search_.files_searched >= kMostFiles) continue;
      if (info->type == FileType::directory && std::find(kNotOursAnywhere.begin(), kNotOursAnywhere.end(), name) == kNotOursAnywhere.end()) folder(below, depth + 1);
      if (info->type == FileType::regular && info->size > 0) file(below, info->size);
    }
  }

  void file(const std::string& path, std::uint64_t size) {
    if (size > kLargestFile) return search_.unsearched.push_back(path);
    auto text = image_.host.read(path, kLargestFile);
    if (!text) {
      if (text.error().id != "file.absent" && text.error().id != "file.too-large") search_.problems.push_back(text.error());
      return;
    }
    ++search_.files_searched;
    const bool is_binary = std::string_view(*text).substr(0, 8192).find('\0') != std::string_view::npos;
    for (const Trace* row : rows_) {
      if (is_binary) break;
      for (const Spot& spot : row->look(*text)) found(*row, path, *text, spot);
    }
    wipe(*text);
  }

  void found(const Trace& row, const std::string& path, std::string_view text, const Spot& spot) {
    int line = 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(spot.at), '\n'));
    if (!row.cuts || !is_of_lines(path)) return search_.findings.push_back({.check = std::string(row.name), .path = path, .line = line, .what = spot.what});
    line = 0;  // every line that holds one
    for (std::size_t at = 0; at < text.size(); ++line) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      for (const Spot& one : row.look(text.substr(at, end - at))) search_.findings.push_back({.check = std::string(row.name), .path = path, .line = line + 1, .what = one.what, .cuts = true});
      at = end + 1;
    }
  }

  Image& image_;
  Search& search_;
  std::vector<const Trace*> rows_;
};

}  // namespace

// One of a kind in a file is enough to act on; more would drown the rest.
std::vector<Spot> look_for_tokens(std::string_view text) {
  std::vector<Spot> spots;
  if (const std::size_t at = first_token(text); at != text.npos) spots.push_back({at, "bootstrap token " + std::string(text.substr(at, 6)) + ".…"});
  if (const std::size_t at = first_jwt(text); at != text.npos) spots.push_back({at, "a service account's token (JWT)"});
  return spots;
}

std::vector<Spot> look_for_private_keys(std::string_view text) {
  const std::size_t at = first_private_key(text);
  return at == text.npos ? std::vector<Spot>{} : std::vector<Spot>{{at, "a private key"}};
}

std::vector<Spot> look_for_kubeconfigs(std::string_view text) {
  const std::size_t at = first_kubeconfig(text);
  return at == text.npos ? std::vector<Spot>{} : std::vector<Spot>{{at, "a kubeconfig's credential"}};
}

std::vector<Spot> look_for_passwords(std::string_view text) {
  const std::size_t at = first_password(text);
  return at == text.npos ? std::vector<Spot>{} : std::vector<Spot>{{at, "a password in a URL"}};
}

void search_files(Image& image, Search& search) { Walk(image, search).run(); }

}  // namespace kubejoin::image
