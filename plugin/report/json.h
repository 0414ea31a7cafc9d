// JSON writing for report/: rapidjson behind five functions.
#pragma once

#include <string>
#include <string_view>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace kubejoin::report {

// Writes one object; members with an empty text or a negative number are left out by the _if forms.
class JsonWriter {
 public:
  JsonWriter() : writer_(buffer_) {}
  JsonWriter& begin(std::string_view key = {}) { return name(key), writer_.StartObject(), *this; }
  JsonWriter& end() { return writer_.EndObject(), *this; }
  JsonWriter& begin_list(std::string_view key) { return name(key), writer_.StartArray(), *this; }
  JsonWriter& end_list() { return writer_.EndArray(), *this; }
  JsonWriter& text(std::string_view key, std::string_view value) { return name(key), put(value), *this; }
  JsonWriter& text_if(std::string_view key, std::string_view value) { return value.empty() ? *this : text(key, value); }
  JsonWriter& number(std::string_view key, long long value) { return name(key), writer_.Int64(value), *this; }
  JsonWriter& number_if(std::string_view key, long long value) { return value <= 0 ? *this : number(key, value); }
  JsonWriter& boolean(std::string_view key, bool value) { return name(key), writer_.Bool(value), *this; }
  JsonWriter& item(std::string_view value) { return put(value), *this; }
  JsonWriter& begin_raw(std::string_view key) { return name(key), *this; }  // then raw()
  JsonWriter& raw(std::string_view json) { return writer_.RawValue(json.data(), json.size(), rapidjson::kObjectType), *this; }
  std::string take() const { return {buffer_.GetString(), buffer_.GetSize()}; }

 private:
  void name(std::string_view key) {
    if (!key.empty()) writer_.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
  }
  void put(std::string_view value) { writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size())); }
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_;
};

}  // namespace kubejoin::report
