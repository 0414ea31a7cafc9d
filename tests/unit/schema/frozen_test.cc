// The schemas are frozen: editors, CI jobs and images in the field depend on what a version means.
#include <openssl/evp.h>

#include <array>

#include "../test.h"
#include "base/text.h"
#include "schema/schema.h"

using namespace kubejoin;

namespace {

struct Frozen {
  const char* name;
  const char* sha256;  // of schemas/<name>.json
};

// A change of meaning is a new version with a file, a row and an upgrade step of its own. A change of words alone
// (title, description, examples) may replace its sum here.
constexpr Frozen kFrozen[] = {
    {"v1alpha1", "37dc266c5fa14b7b74900b60efea6490c2af6692f145971b42d981f34aea075c"},
    {"v1alpha2", "3167cb250b05079ec8a572cd760784e68100292e9851bfd44c079373b230c1db"},
    {"v1alpha3", "ddb51c53b115213270c3bfa9bef55cab7cea0c34434e7f0b6520eba38b355aae"},
    {"v1beta1", "31a71836d26d777c81650c1ffcfc2b266ea1f6c12d9a022fe4fe88bd1640aaf4"},
    {"v1beta2", "a5038c6a54286be943ab623e8553ca67c0985dece36351688ef7d566d5fadf29"},
    {"v1beta3", "949c2aa0b75175d176eb26a01d67c6d08b765aaac7a9267cda2d172ef902af3a"},
    {"v1beta4", "5914261c3f909eb339068dd73280807f93159b2a628721ea038d77903fe27ac1"},
    {"v1", "7cbfc63d397309154dbb70fdbc6d04fd12eaef4059ef07b687884640af965722"},
    {"firstboot-v1alpha1", "c01542f4763436ecf87162f252cab59f6f4a72ffeda15fdf76229eebecc44c47"},
};

std::string sha256(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  REQUIRE(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  return hex({reinterpret_cast<const char*>(digest.data()), size});
}

}  // namespace

TEST_CASE("schema: every embedded schema is frozen") {
  REQUIRE(std::size(kFrozen) == schema::versions().size());
  for (std::size_t i = 0; i < std::size(kFrozen); ++i) {
    const schema::Version& version = schema::versions()[i];
    CAPTURE(version.name);
    CHECK(version.name == kFrozen[i].name);
    CHECK(sha256(schema::schema_text(version)) == kFrozen[i].sha256);
  }
}
