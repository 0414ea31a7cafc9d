// Reads tests/golden: files of real clusters (1.20, 1.37) and of upstream's own tests (upstream). Tests run in the
// project's root.
#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

inline std::string golden(const std::string& name) {
  std::ifstream file("tests/golden/" + name, std::ios::binary);
  REQUIRE_MESSAGE(file.good(), "unable to open tests/golden/" << name << ": run the tests in the project's root");
  return {std::istreambuf_iterator<char>(file), {}};
}
