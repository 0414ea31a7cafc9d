// JSON through rapidjson's event reader, with the limits and the refusal of duplicate keys that rapidjson lacks.
#include "kube/json.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <set>
#include <vector>

#include "base/text.h"

namespace kubejoin::kube {
namespace {

constexpr std::size_t kMaxBytes = 4 << 20, kMaxDepth = 64;
// Iterative, because nesting comes from outside and must not cost stack.
constexpr unsigned kParseFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;

// Stands between reader and document builder; an event answered with false ends the parse, and `why` tells the reason.
class Filter {
 public:
  explicit Filter(rapidjson::Document& into) : into_(into) {}
  std::string why;

  bool Null() { return into_.Null(); }
  bool Bool(bool value) { return into_.Bool(value); }
  bool Int(int value) { return into_.Int(value); }
  bool Uint(unsigned value) { return into_.Uint(value); }
  bool Int64(std::int64_t value) { return into_.Int64(value); }
  bool Uint64(std::uint64_t value) { return into_.Uint64(value); }
  bool Double(double value) { return into_.Double(value); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool copy) { return into_.RawNumber(text, size, copy); }
  bool String(const char* text, rapidjson::SizeType size, bool copy) { return into_.String(text, size, copy); }
  bool Key(const char* text, rapidjson::SizeType size, bool copy) {
    if (!keys_.back().emplace(text, size).second) {
      why = "the key " + quoted(std::string_view{text, size}) + " is there twice";
      return false;
    }
    return into_.Key(text, size, copy);
  }
  bool StartObject() { return enter() && into_.StartObject(); }
  bool StartArray() { return enter() && into_.StartArray(); }
  bool EndObject(rapidjson::SizeType members) { return leave() && into_.EndObject(members); }
  bool EndArray(rapidjson::SizeType elements) { return leave() && into_.EndArray(elements); }

 private:
  bool enter() {
    keys_.emplace_back();
    if (keys_.size() <= kMaxDepth) return true;
    why = "it is nested more than " + std::to_string(kMaxDepth) + " levels deep";
    return false;
  }
  bool leave() {
    keys_.pop_back();
    return true;
  }

  rapidjson::Document& into_;
  std::vector<std::set<std::string>> keys_;  // of every open object, outermost first; an array has an empty set
};

}  // namespace

tl::unexpected<Error> bad_object(std::string_view doing, std::string_view why) {
  return fail(Kind::unavailable, "kube.object", "unable to " + std::string(doing) + ": " + std::string(why),
              "the answer did not come from a Kubernetes API server, or was damaged on its way");
}

Result<rapidjson::Document> read_json(std::string_view text, std::string_view doing) {
  if (text.size() > kMaxBytes) return bad_object(doing, "the answer is longer than 4 MiB");
  if (text.find('\0') != text.npos)
    return bad_object(doing, "the answer has a NUL byte");  // which ends rapidjson's stream
  rapidjson::Document document;
  Filter filter(document);
  rapidjson::ParseResult parsed;
  auto generate = [&](rapidjson::Document&) {
    rapidjson::MemoryStream bytes(text.data(), text.size());
    rapidjson::Reader reader;
    parsed = reader.Parse<kParseFlags>(bytes, filter);
    return !parsed.IsError();
  };
  document.Populate(generate);
  if (!filter.why.empty()) return bad_object(doing, filter.why);
  if (parsed.IsError())
    return bad_object(doing, "the answer is not JSON: " + std::string(rapidjson::GetParseError_En(parsed.Code())) +
                                 " At byte " + std::to_string(parsed.Offset()) + ": " +
                                 quoted(text.substr(parsed.Offset()), 40));
  return document;
}

const rapidjson::Value* value_at(const rapidjson::Value& object, std::initializer_list<const char*> path) {
  const rapidjson::Value* at = &object;
  for (const char* name : path) {
    if (!at->IsObject()) return nullptr;
    const auto member = at->FindMember(name);
    if (member == at->MemberEnd()) return nullptr;
    at = &member->value;
  }
  return at;
}

std::string text_at(const rapidjson::Value& object, std::initializer_list<const char*> path) {
  const rapidjson::Value* value = value_at(object, path);
  return value != nullptr && value->IsString() ? std::string(value->GetString(), value->GetStringLength())
                                               : std::string();
}

std::string write_json(const rapidjson::Value& value) {
  rapidjson::StringBuffer out;
  rapidjson::Writer<rapidjson::StringBuffer> writer(out);
  value.Accept(writer);
  return {out.GetString(), out.GetSize()};
}

}  // namespace kubejoin::kube
