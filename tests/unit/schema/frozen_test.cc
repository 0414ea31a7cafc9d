// The schemas are frozen: editors, CI jobs and images in the field depend on what a version means.
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "../test.h"
#include "base/text.h"
#include "schema/schema.h"
#include "schema/texts.h"

using namespace kubejoin;

namespace {

struct Frozen {
  const char* name;
  const char* sha256;  // of schemas/<name>.json
};

// A change of meaning is a new version with a file, a row and an upgrade step of its own. A change of words alone
// (title, description, examples) may replace its sum here.
constexpr Frozen kFrozen[] = {
    {"v1alpha1", "619eed89a3a806397b1533bddae702878b250873980b265b7fb35c983ef7c793"},
    {"v1alpha2", "32da91942b745321e851b65b50dec9b7e72cf47283e1b4b35be21ec8528f579f"},
    {"v1alpha3", "422b81429be851a46441bbf1fdef4d9d55122d8dd3fcc86b64c9b0a1ae28254b"},
    {"v1beta1", "1419d7ff982e8072cd9339de8617fd6da578779730825a088624e8728127021f"},
    {"v1beta2", "e0a6aa6eebd73fee0e3d2eed1e3122fc36fabe47a8634cc04c0f5ec227eabf15"},
    {"v1beta3", "18684bae9a7023c6a63d3cfbe4f04473a479cb6fee5a43edd81920c5501c9e83"},
    {"v1beta4", "cf4bf5f5fc967310afe6d4be70582485e9da70cde5c84b444b240d18926c8fa3"},
    {"v1", "f69780be19cade80420ddc01842f077039a988aab3d9cfa88022437926b8930f"},
    {"firstboot-v1alpha1", "dc935c92dab4e43b9164e6f304ea69a19e7b59873d44e633ecc03c48b616b12b"},
    {"validation-v1", "0dc6810fe0d6bce05f24b07b620a0e59e36171bc0d5dd028fe665f26e10a52ea"},
    {"result-v1", "c3cb1c946469e76ac4cc1b75310f81552a9e3b7b20f5ad9a62786583cc2dfcb5"},
    {"query-v1", "7ef5d637a5febd084f7d2c1d145ae0493fd3633f1b3ac7227f5b89ba528679ab"},
    {"sources-v1", "1c2d50a933298513431893b8e3bd6759e0bb5c6ae8a5f56207d59758ff2d8f1f"},
    {"seal-v1", "fa3cc35c071df452541f71a4163764074866dd183922045b401ca70c7010d8ae"},
    {"status-v1", "39be527e589db279d1aa8a79509f52adfce4a9ab8e6e6859d457f799fbf5331f"},
    {"timeline-v1", "5f880c02005a26f0541616935b2ac229874e54584b32ccbddb916a7a65549ac7"},
    {"verify-v1", "70c8417a94f756a5474e494fcdf3deaaf637fc06e79ba5bcbdf88a02108ab09b"},
};

std::string sha256(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  REQUIRE(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  return hex({reinterpret_cast<const char*>(digest.data()), size});
}

}  // namespace

TEST_CASE("schema: every embedded schema is frozen") {
  REQUIRE(std::size(kFrozen) == schema::schema_texts().size());
  for (const auto& schema : schema::schema_texts()) {
    CAPTURE(schema.first);
    const auto* frozen = std::find_if(std::begin(kFrozen), std::end(kFrozen), [&](const Frozen& f) { return f.name == schema.first; });
    REQUIRE(frozen != std::end(kFrozen));
    CHECK(sha256(schema.second) == frozen->sha256);
  }
}
