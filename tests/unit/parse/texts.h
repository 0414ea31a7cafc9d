// What the tests of parse/ share: reading a text, and errors as one line each.
#pragma once

#include <doctest/doctest.h>
#include <zlib.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parse/document.h"

inline kubejoin::parse::Yaml read(std::string_view text, const kubejoin::parse::Limits& limits = {}) {
  auto source = std::make_shared<kubejoin::parse::Source>();
  source->file = "join.yaml";
  source->text = text;
  return kubejoin::parse::read_yaml(source, limits);
}

// Of the only document.
inline std::string json(std::string_view text) {
  const auto yaml = read(text);
  for (const auto& error : yaml.errors) FAIL_CHECK(error.message);
  REQUIRE(yaml.documents.size() == 1);
  return to_json(yaml.documents[0].root);
}

// "3:1 yaml.tab a tab in the indentation", with "(part)" when there is one.
inline std::string told(const kubejoin::Error& error) {
  const std::string part = error.place.part.empty() ? "" : " (" + error.place.part + ")";
  return std::to_string(error.place.line) + ":" + std::to_string(error.place.column) + part + " " + error.id + " " +
         error.message;
}

inline std::string told(const std::vector<kubejoin::Error>& errors) {
  std::string all;
  for (const auto& error : errors) all += (all.empty() ? "" : "\n") + told(error);
  return all;
}

inline std::string gzip(std::string_view text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}
