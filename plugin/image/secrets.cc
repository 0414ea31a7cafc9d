// Secrets by their form, in text files anywhere a build may have left them.
//
// What counts, and what does not:
//   - a bootstrap token, [a-z0-9]{6}.[a-z0-9]{16}, that stands alone (not a part of a file name, a host name or a longer word); where its
//     secret half has no digit it may be two words, so the line must speak of a token;
//   - kubeadm's own example, abcdef.0123456789abcdef, is none: everybody knows it;
//   - a service account's token (a JWT), a private key in PEM with its content, a kubeconfig's client-key-data;
//   - binary files, and what packages and languages bring with them (documentation, test data, installed modules), are not looked into:
//     their examples are public; nor are the container images' own files. Journals and databases have rows of their own.
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

constexpr std::string_view kExample = "abcdef.0123456789abcdef";

bool is_token_char(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_word_char(char c) { return is_token_char(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '@' || c == '/'; }
bool is_base64_char(char c) { return is_token_char(c) || (c >= 'A' && c <= 'Z') || c == '+' || c == '/' || c == '=' || c == '-' || c == '_'; }

std::string_view line_around(std::string_view text, std::size_t at) {
  const std::size_t begin = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;  // npos + 1 is 0
  return text.substr(begin, std::min(text.find('\n', at), text.size()) - begin);
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
      const std::string line = lower(line_around(text, begin).substr(0, 4096));
      if (line.find("token") == line.npos && line.find("bearer") == line.npos) continue;
    }
    return begin;
  }
  return text.npos;
}

// A JWT: three base64url parts, the first two of them JSON objects ("eyJ" is {" in base64).
std::size_t first_jwt(std::string_view text) {
  for (std::size_t at = text.find("eyJ"); at != text.npos; at = text.find("eyJ", at + 3)) {
    const std::size_t head = count_base64(text, at), second = at + head + 1;
    if (head < 16 || second >= text.size() || text[second - 1] != '.' || text.substr(second, 3) != "eyJ") continue;
    const std::size_t body = count_base64(text, second), third = second + body + 1;
    if (third < text.size() && text[third - 1] == '.' && count_base64(text, third) >= 40) return at;
  }
  return text.npos;
}

// With its content: a program that looks for such lines has the first line alone.
std::size_t first_private_key(std::string_view text) {
  constexpr std::string_view kEnd = "PRIVATE KEY-----", kBegin = "-----BEGIN ", kData = "client-key-data:";
  for (std::size_t at = text.find(kEnd); at != text.npos; at = text.find(kEnd, at + 1)) {
    const std::string_view line = line_around(text, at);
    if (line.find(kBegin) == line.npos) continue;
    const std::string_view body = text.substr(at + kEnd.size(), 400);
    for (std::size_t i = 0; i < body.size(); ++i) {
      const std::size_t run = count_base64(body, i);
      if (run >= 40 && body.substr(i, 5) != "-----") return at;
      i += run;
    }
  }
  for (std::size_t at = text.find(kData); at != text.npos; at = text.find(kData, at + 1)) {
    std::size_t value = at + kData.size();
    while (value < text.size() && (text[value] == ' ' || text[value] == '"')) ++value;
    if (count_base64(text, value) >= 40) return at;
  }
  return text.npos;
}

class Walk {
 public:
  Walk(Image& image, Search& search) : image_(image), search_(search) {
    for (const Trace& trace : traces())
      if (trace.look != nullptr && !image.keeps(trace.name)) rows_.push_back(&trace);
  }

  void run() {
    if (rows_.empty()) return;
    for (const std::string_view place : kPlaces) folder(std::string(place), 0);
    if (search_.files_searched >= kMostFiles)
      search_.problems.push_back(fail(Kind::machine, "image.too-many-files", "unable to search all files for secrets: there are more than " + std::to_string(kMostFiles),
                                      "take data out of the image").value());
  }

 private:
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
      for (Spot& spot : row->look(*text)) {
        const int line = 1 + static_cast<int>(std::count(text->begin(), text->begin() + static_cast<std::ptrdiff_t>(spot.at), '\n'));
        search_.findings.push_back({.check = std::string(row->name), .path = path, .line = line, .what = std::move(spot.what)});
      }
    }
    wipe(*text);
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

void search_files(Image& image, Search& search) { Walk(image, search).run(); }

}  // namespace kubejoin::image
