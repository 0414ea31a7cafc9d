// Every embedded schema by name: those of the documents that kubejoin reads, and those of what it writes (result-v1, …).
#pragma once

#include <span>
#include <string_view>
#include <utility>

namespace kubejoin::schema {

// (name, JSON), sorted by name; schemas/<name>.json at build time.
std::span<const std::pair<std::string_view, std::string_view>> schema_texts();

}  // namespace kubejoin::schema
