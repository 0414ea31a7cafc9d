// The unit tests' main() (doctest's own), and the bodies of test.h.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "test.h"

#include <stdlib.h>

#include <filesystem>

namespace kubejoin {

TemporaryFolder::TemporaryFolder() {
  char name[] = "/tmp/kubejoin-test-XXXXXX";
  REQUIRE(::mkdtemp(name) != nullptr);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace kubejoin
