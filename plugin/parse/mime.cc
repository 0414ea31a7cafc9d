// A small, strict MIME reader: what cloud-init, EKS and Terraform write, nested, and nothing that needs a mail program.
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

// The name in front of the colon (RFC 5322 field-name), lower case; empty when the line is no header.
std::string header_name(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == line.npos || colon == 0) return {};
  const std::string_view name = trim(line.substr(0, colon));
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

std::optional<std::string> decode_quoted_printable(std::string_view text) {
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
      if (!byte || byte->size() != 1) return {};
      out += *byte;
      rest.remove_prefix(3);
    }
    const bool had_break = text[lines.at - 1] == '\n';
    if (!soft && had_break) out += '\n';
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
    std::vector<Header> headers;
    if (!read_headers(here, lines, headers)) return;
    const auto find = [&](std::string_view name) {
      const auto header = std::find_if(headers.begin(), headers.end(), [&](const Header& h) { return h.name == name; });
      return header == headers.end() ? Header{} : *header;
    };
    const Header content_type = find("content-type");
    const std::string type = lower(trim(content_type.value.substr(0, content_type.value.find(';'))));

    if (type.starts_with("multipart/")) {
      const std::string boundary = parameter(content_type.value, "boundary");
      if (boundary.empty())
        return error(here, content_type.line, "mime.boundary", "a multipart without a boundary",
                     "Content-Type: multipart/mixed; boundary=\"==BOUNDARY==\"");
      if (depth >= kDeepest)
        return error(here, content_type.line, "mime.too-deep",
                     "multiparts nested deeper than " + std::to_string(kDeepest) + " levels");
      return read_multipart(here, lines, boundary, content_type.line, depth);
    }
    const Header encoding = find("content-transfer-encoding");
    read_leaf(here, lines, type.empty() ? "text/plain" : type, encoding, depth);
  }

 private:
  void error(const Document& here, int line, std::string_view id, std::string message, std::string hint = {}) {
    add(mime.errors, here, line, id, std::move(message), std::move(hint));
  }

  static void add(std::vector<Error>& list, const Document& here, int line, std::string_view id, std::string message,
                  std::string hint) {
    Error e = fail(Kind::invalid, id, std::move(message), std::move(hint)).value();
    e.place = here.place({line, 1});
    list.push_back(std::move(e));
  }

  bool read_headers(const Document& here, LineReader& lines, std::vector<Header>& headers) {
    while (const auto line = lines.next()) {
      if (is_blank(*line)) {
        if (headers.empty() && here.source->part.empty()) continue;  // before the first header of the whole text
        break;
      }
      if (headers.empty() && line->starts_with("From ")) continue;  // mbox
      if ((line->starts_with(' ') || line->starts_with('\t')) && !headers.empty()) {
        headers.back().value += ' ' + std::string(trim(*line));
        continue;
      }
      const std::string name = header_name(*line);
      if (name.empty() || headers.size() >= kMostHeaders) {
        error(here, lines.number, "mime.header",
              name.empty() ? "expected a MIME header, \"Name: value\"" : "too many MIME headers",
              "an empty line ends the headers");
        return false;
      }
      headers.push_back({name, std::string(trim(line->substr(line->find(':') + 1))), lines.number});
    }
    return true;
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
      if (begin != std::string::npos) {
        auto end = line ? line_begin : outer.text.size();
        if (line && end > begin && outer.text[end - 1] == '\n') --end;  // this break belongs to the delimiter
        if (line && end > begin && outer.text[end - 1] == '\r') --end;
        if (mime.parts.size() + mime.errors.size() >= kMostParts)
          return error(here, first_line, "mime.too-many-parts",
                       "more than " + std::to_string(kMostParts) + " MIME parts");
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
      return error(here, header_line, "mime.boundary",
                   "the boundary " + quoted(boundary, 80) + " appears nowhere in the body",
                   "each part begins after a line " + printable(delimiter, 80));
    add(mime.warnings, here, header_line, "mime.truncated",
        "the line " + quoted(delimiter + "--", 80) + " that ends the multipart is missing",
        "the text may have been cut off");
  }

  void read_leaf(const Document& here, const LineReader& lines, const std::string& type, const Header& encoding,
                 int depth) {
    const Source& whole = *here.source;
    MimePart part{
        type,
        {whole.file, whole.part, whole.text.substr(lines.at), whole.first_line + lines.number, whole.first_column}};
    Source& source = part.source;
    const int body_line = lines.number + 1;
    if (depth == 0) source.part = part_within(source.part, "part 1");

    const std::string how = lower(encoding.value);
    if (how == "base64" || how == "quoted-printable") {
      auto decoded = how == "base64" ? decode_base64(source.text) : decode_quoted_printable(source.text);
      if (!decoded) {
        const std::string culprit = how == "base64" ? base64_culprit(source.text) : "";
        return error(here, body_line, "mime.encoding",
                     "unable to decode " + source.part + ": it is no " + how + culprit);
      }
      source.text = std::move(*decoded);
      source.part += ", decoded";
      source.first_line = source.first_column = 1;
    } else if (!how.empty() && how != "7bit" && how != "8bit" && how != "binary") {
      static const std::vector<std::string> kKnown = {"base64", "quoted-printable", "7bit", "8bit", "binary"};
      const auto guess = did_you_mean(how, kKnown);
      return error(here, encoding.line, "mime.encoding", "unknown Content-Transfer-Encoding " + quoted(how, 40),
                   guess ? "did you mean " + *guess + "?" : "use one of " + join(kKnown, ", "));
    }
    mime.parts.push_back(std::move(part));
  }

  static std::optional<std::string> decode_base64(std::string text) {
    std::erase_if(text, [](char c) { return c == ' ' || c == '\t'; });
    return base64_decode(text);
  }

  static std::string base64_culprit(std::string_view text) {
    const auto bad = text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r\n");
    return bad == text.npos ? " (its length is wrong)" : " (" + quoted(text.substr(bad, 1)) + " is no part of it)";
  }
};

}  // namespace

bool is_mime(std::string_view text) {
  LineReader lines{text};
  std::size_t headers = 0;
  while (const auto line = lines.next()) {
    if (is_blank(*line)) {
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
