// A small MIME reader that takes what Python's email package takes (Lib/email/feedparser.py, message.py), as cloud-init does: a line
// that is no header begins the body, what cannot be decoded is left as it is.
#include <algorithm>
#include <optional>

#include "base/text.h"
#include "parse/layers.h"

namespace kubejoin::parse {
namespace {

constexpr std::size_t kMostHeaders = 128;
constexpr std::size_t kMostParts = 256;
constexpr int kDeepest = 8;

struct Header {
  std::string name;   // lower case
  std::string value;  // unfolded
  int line = 0;       // in the Source
};

// Lines of a text with their numbers; CR before LF is dropped.
struct LineReader {
  std::string_view text;
  std::size_t at = 0;
  int number = 0;  // of the line that next() gave

  std::optional<std::string_view> next() {
    if (at >= text.size()) return {};
    const auto end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = std::min(end + 1, text.size());
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }
};

bool is_blank(std::string_view line) { return trim(line).empty(); }

// The name in front of the colon (email.feedparser.headerRE), lower case; empty when the line is no header.
std::string header_name(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == line.npos || colon == 0) return {};
  const std::string_view name = line.substr(0, colon);
  const bool legal = std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7F; });
  return legal ? lower(name) : std::string();
}

// "multipart/mixed; boundary="x"" -> parameter("boundary") is x.
std::string parameter(std::string_view value, std::string_view wanted) {
  for (auto at = value.find(';'); at != value.npos;) {
    const auto equals = value.find('=', at);
    if (equals == value.npos) return {};
    const std::string name = lower(trim(value.substr(at + 1, equals - at - 1)));
    std::string_view rest = value.substr(equals + 1);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    std::string text;
    if (rest.starts_with('"')) {
      std::size_t i = 1;
      for (; i < rest.size() && rest[i] != '"'; ++i)
        text += rest[i] == '\\' && i + 1 < rest.size() ? rest[++i] : rest[i];
      rest.remove_prefix(std::min(i + 1, rest.size()));
    } else {
      text = trim(rest.substr(0, rest.find(';')));
    }
    if (name == wanted) return text;
    at = rest.find(';');
    value = rest;
  }
  return {};
}

// quopri and binascii.a2b_qp: a "=" without two hex digits stays.
std::string decode_quoted_printable(std::string_view text) {
  std::string out;
  LineReader lines{text};
  while (const auto line = lines.next()) {
    std::string_view rest = line->substr(0, line->find_last_not_of(" \t") + 1);
    const bool soft = rest.ends_with('=');
    if (soft) rest.remove_suffix(1);
    while (!rest.empty()) {
      const auto plain = std::min(rest.find('='), rest.size());
      out += rest.substr(0, plain);
      rest.remove_prefix(plain);
      if (rest.empty()) break;
      const auto byte = hex_decode(rest.substr(1, 2));
      const bool whole = byte && byte->size() == 1;
      out += whole ? *byte : std::string("=");
      rest.remove_prefix(whole ? 3 : 1);
    }
    const bool had_break = text[lines.at - 1] == '\n';
    if (!soft && had_break) out += '\n';
  }
  return out;
}

// uuencode, as POSIX has it: "begin 644 NAME", lines, "end". Nothing when there is no begin, or a line is damaged.
std::optional<std::string> decode_uuencode(std::string_view text) {
  LineReader lines{text};
  auto line = lines.next();
  while (line && !line->starts_with("begin ")) line = lines.next();
  if (!line) return {};
  std::string out;
  const auto bits = [](char c) { return static_cast<unsigned>(c - ' ') & 63U; };
  while ((line = lines.next()) && trim(*line) != "end") {
    if (line->empty()) continue;
    if (std::any_of(line->begin(), line->end(), [](char c) { return c < ' ' || c > '`'; })) return {};
    auto left = static_cast<std::size_t>(bits(line->front()));
    for (std::size_t at = 1; left > 0; at += 4) {
      unsigned group = 0;  // what was trimmed at the end of a line was blanks
      for (std::size_t i = 0; i < 4; ++i) group = group << 6 | (at + i < line->size() ? bits((*line)[at + i]) : 0U);
      for (int shift = 16; shift >= 0 && left > 0; shift -= 8, --left) out += static_cast<char>(group >> shift & 255U);
    }
  }
  return out;
}

class Reader {
 public:
  Mime mime;

  // An entity: headers, an empty line, a body.
  void read(Source source, int depth) {
    const Document here{std::make_shared<Source>(std::move(source)), {}};
    LineReader lines{here.source->text};
    const std::vector<Header> headers = read_headers(here, lines);
    const auto find = [&](std::string_view name) {
      const auto header = std::find_if(headers.begin(), headers.end(), [&](const Header& h) { return h.name == name; });
      return header == headers.end() ? Header{} : *header;
    };
    const Header content_type = find("content-type");
    std::string type = lower(trim(content_type.value.substr(0, content_type.value.find(';'))));
    if (std::count(type.begin(), type.end(), '/') != 1) type = "text/plain";

    if (type.starts_with("multipart/")) {
      const std::string boundary = parameter(content_type.value, "boundary");
      if (boundary.empty())
        return unread(here, content_type.line, "mime.boundary", "a multipart without a boundary",
                      "Content-Type: multipart/mixed; boundary=\"==BOUNDARY==\"");
      if (depth >= kDeepest)
        return unread(here, content_type.line, "mime.too-deep",
                      "multiparts nested deeper than " + std::to_string(kDeepest) + " levels", "");
      return read_multipart(here, lines, boundary, content_type.line, depth);
    }
    if (type.starts_with("message/") && depth < kDeepest) return read(body_of(here, lines), depth + 1);
    const Header merge_type = find("merge-type");
    read_leaf(here, lines, {type, {}, merge_type.value.empty() ? find("x-merge-type").value : merge_type.value},
              find("content-transfer-encoding"), depth);
  }

 private:
  static void add(std::vector<Error>& list, const Document& here, int line, std::string_view id, std::string message,
                  std::string hint) {
    constexpr std::size_t kMost = 200;
    if (list.size() >= kMost) return;
    Error e = fail(Kind::invalid, id, std::move(message), std::move(hint)).value();
    e.place = here.place({line, 1});
    list.push_back(std::move(e));
  }

  void warn(const Document& here, int line, std::string_view id, std::string message, std::string hint) {
    add(mime.told.warnings, here, line, id, std::move(message), std::move(hint));
  }

  // A multipart that cannot be taken apart.
  void unread(const Document& here, int line, std::string_view id, std::string message, std::string hint) {
    auto& list = claims_to_be_ours(here.source->text) ? mime.told.errors : mime.told.unread;
    add(list, here, line, id, std::move(message), std::move(hint));
  }

  static Source body_of(const Document& here, const LineReader& lines) {
    const Source& whole = *here.source;
    return {whole.file, whole.part, whole.text.substr(lines.at), whole.first_line + lines.number, whole.first_column};
  }

  std::vector<Header> read_headers(const Document& here, LineReader& lines) {
    std::vector<Header> headers;
    for (LineReader before = lines; const auto line = lines.next(); before = lines) {
      if (line->empty()) {
        if (headers.empty() && here.source->part.empty()) continue;  // before the first header of the whole text
        break;
      }
      if (headers.empty() && line->starts_with("From ")) continue;  // mbox
      if (line->starts_with(' ') || line->starts_with('\t')) {
        if (!headers.empty()) headers.back().value += ' ' + std::string(trim(*line));
        continue;
      }
      const std::string name = header_name(*line);
      if (name.empty() || headers.size() >= kMostHeaders) {
        if (!headers.empty())
          warn(here, lines.number, "mime.header", "this line is no header: the body begins here, without an empty line before it",
               "put an empty line between the headers and the body");
        lines = before;
        break;
      }
      headers.push_back({name, std::string(trim(line->substr(line->find(':') + 1))), lines.number});
    }
    return headers;
  }

  void read_multipart(const Document& here, LineReader& lines, const std::string& boundary, int header_line,
                      int depth) {
    const Source& outer = *here.source;
    const std::string delimiter = "--" + boundary;
    std::size_t begin = std::string::npos;  // of the open part
    int first_line = 0;
    int count = 0;
    for (;;) {
      const auto line_begin = lines.at;
      const auto line = lines.next();
      const std::string_view tail = line && line->starts_with(delimiter) ? line->substr(delimiter.size()) : "none";
      const bool opening = is_blank(tail);
      const bool closing = tail.starts_with("--") && is_blank(tail.substr(2));
      if (line && !closing && !opening) continue;
      const bool again = begin == line_begin && line;  // two delimiters, and nothing between them
      if (begin != std::string::npos && !again) {
        auto end = line ? line_begin : outer.text.size();
        if (line && end > begin && outer.text[end - 1] == '\n') --end;  // this break belongs to the delimiter
        if (line && end > begin && outer.text[end - 1] == '\r') --end;
        if (++parts_ > kMostParts)
          return unread(here, first_line, "mime.too-many-parts",
                        "more than " + std::to_string(kMostParts) + " MIME parts", "");
        const std::string name = part_within(outer.part, "part " + std::to_string(++count));
        read({outer.file, name, outer.text.substr(begin, end - begin), outer.first_line + first_line - 1,
              outer.first_column},
             depth + 1);
      }
      if (closing) return;
      if (!line) break;
      begin = lines.at;
      first_line = lines.number + 1;
    }
    if (begin == std::string::npos)
      return unread(here, header_line, "mime.boundary",
                    "the boundary " + quoted(boundary, 80) + " appears nowhere in the body",
                    "each part begins after a line " + printable(delimiter, 80));
    warn(here, header_line, "mime.truncated",
         "the line " + quoted(delimiter + "--", 80) + " that ends the multipart is missing",
         "the text may have been cut off");
  }

  void read_leaf(const Document& here, const LineReader& lines, MimePart part, const Header& encoding, int depth) {
    part.source = body_of(here, lines);
    Source& source = part.source;
    if (depth == 0) source.part = part_within(source.part, "part 1");
    decode(here, lines.number + 1, encoding, source);
    mime.parts.push_back(std::move(part));
  }

  // What cannot be decoded is left as it is.
  void decode(const Document& here, int body_line, const Header& encoding, Source& source) {
    const std::string how = lower(encoding.value);
    std::optional<std::string> decoded;
    if (how == "base64") {
      auto bytes = decode_base64_leniently(source.text);
      if (bytes && bytes->culprit != std::string::npos)
        warn(here, body_line, "mime.encoding",
             quoted(std::string_view(source.text).substr(bytes->culprit, 1)) + " in " + source.part +
                 " is no part of base64, and is passed over", "");
      if (bytes) decoded = std::move(bytes->bytes);
    } else if (how == "quoted-printable") {
      decoded = decode_quoted_printable(source.text);
    } else if (how == "x-uuencode" || how == "uuencode" || how == "uue" || how == "x-uue") {
      decoded = decode_uuencode(source.text);
    } else if (how.empty() || how == "7bit" || how == "8bit" || how == "binary") {
      return;
    } else {
      static const std::vector<std::string> kKnown = {"base64", "quoted-printable", "uuencode", "7bit", "8bit", "binary"};
      const auto guess = did_you_mean(how, kKnown);
      return warn(here, encoding.line, "mime.encoding",
                  "unknown Content-Transfer-Encoding " + quoted(how, 40) + ": the part is taken as it is",
                  guess ? "did you mean " + *guess + "?" : "use one of " + join(kKnown, ", "));
    }
    if (!decoded)
      return add(mime.told.unread, here, body_line, "mime.encoding", "unable to decode " + source.part + ": it is no " + how,
                 "it may have been cut off");
    source.text = std::move(*decoded);
    source.part += ", decoded";
    source.first_line = source.first_column = 1;
  }

  std::size_t parts_ = 0;
};

}  // namespace

std::optional<LenientBase64> decode_base64_leniently(std::string_view text) {
  LenientBase64 out;
  std::string clean;
  clean.reserve(text.size());
  std::size_t padding = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool digit = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
    if (digit) {
      clean += c;
      padding = 0;
    } else if (c == '=') {
      if (clean.size() % 4 >= 2 && clean.size() % 4 + ++padding >= 4) break;  // what follows the end is not read
    } else if (c != '\n' && c != '\r' && c != ' ' && c != '\t') {
      out.culprit = std::min(out.culprit, i);
    }
  }
  auto bytes = base64_decode(clean);
  if (!bytes) return {};
  out.padded = clean.size() % 4 == 0 || clean.size() % 4 + padding == 4;
  out.bytes = std::move(*bytes);
  return out;
}

bool is_mime(std::string_view text) {
  LineReader lines{text};
  std::size_t headers = 0;
  while (const auto line = lines.next()) {
    if (line->empty()) {
      if (headers == 0) continue;
      return false;
    }
    if (headers == 0 && line->starts_with("From ")) continue;
    const std::string name = header_name(*line);
    if (name == "mime-version") return true;
    if (name == "content-type") return line->find('/') != line->npos;
    const bool continuation = headers > 0 && (line->starts_with(' ') || line->starts_with('\t'));
    if ((name.empty() && !continuation) || ++headers > kMostHeaders) return false;
  }
  return false;
}

Mime read_mime(const Source& source) {
  Reader reader;
  reader.read(source, 0);
  return std::move(reader.mime);
}

}  // namespace kubejoin::parse
