// Release numbers.
#include "kube/version.h"

#include <doctest/doctest.h>

using namespace kubejoin::kube;

TEST_CASE("kube::parse_kubelet_version") {
  const struct {
    const char* output;
    int minor, patch;
    const char* text;
  } kGood[] = {
      {"Kubernetes v1.7.0", 7, 0, "1.7.0"},
      {"Kubernetes v1.8.0-alpha.2.1231+afabd012389d53a", 8, 0, "1.8.0-alpha.2.1231+afabd012389d53a"},
      {"Kubernetes v1.37.2\n", 37, 2, "1.37.2"},
      {"  Kubernetes v1.29.6+k3s1  ", 29, 6, "1.29.6+k3s1"},
  };
  for (const auto& row : kGood) {
    CAPTURE(row.output);
    const auto version = parse_kubelet_version(row.output);
    REQUIRE(version);
    CHECK(version->major == 1);
    CHECK(version->minor == row.minor);
    CHECK(version->patch == row.patch);
    CHECK(version->text == row.text);
  }
  for (const char* output : {"something-invalid", "", "v1.37.2", "Kubernetes 1.37.2", "Kubernetes vv1.37.2",
                             "Kubernetes v1.37", "Kubernetes v1.37.x", "Kubernetes v1.37.2 and more",
                             "Kubernetes v1.37.99999999999", "Kubernetes v-1.37.2", "Kubernetes vci/1.37.2"}) {
    CAPTURE(output);
    const auto version = parse_kubelet_version(output);
    REQUIRE_FALSE(version);
    CHECK(version.error().id == "kube.kubelet-version");
  }
}

TEST_CASE("kube::parse_version") {
  CHECK(parse_version("v1.20.2")->minor == 20);
  CHECK(parse_version("1.20.2")->patch == 2);
  CHECK(parse_version("ci/v1.38.0-alpha.1")->minor == 38);
  for (const char* text : {"", "stable", "stable-1.20", "v1", "1.20", "v1.20.2_1"}) CHECK_FALSE(parse_version(text));
  CHECK_FALSE(parse_version("1.2.3-" + std::string(1000, 'a')));
}
