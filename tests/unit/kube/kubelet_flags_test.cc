// Flags by release, and values that reach the kubelet as they were given.
#include "kube/kubelet_flags.h"

#include <random>

#include "../test.h"
#include "base/text.h"

using namespace kubejoin;
using namespace kubejoin::kube;

namespace {

// "27-1000 34-39": the ranges of releases that refuse.
std::string ranges(std::string_view name, std::string_view value = "x") {
  std::string text;
  for (const Refusal& refusal : refusals_of(name, value)) text += (text.empty() ? "" : " ") + std::to_string(refusal.from) + "-" + std::to_string(refusal.until);
  return text;
}

// What systemd reads from one line of an environment file: the value between double quotes, where a backslash before one of "\`$ goes away
// (systemd.exec(5), EnvironmentFile=).
std::string value_of(std::string_view line) {
  std::string value;
  const std::size_t open = line.find('"');
  for (std::size_t i = open + 1; i < line.size() && line[i] != '"'; ++i) {
    if (line[i] == '\\' && std::string_view("\"\\`$").find(line[i + 1]) != std::string_view::npos) ++i;
    value += line[i];
  }
  return value;
}

// What systemd makes of $KEY as a word of its own: words at white space; quotes hold one together and go away; a backslash goes away and
// what follows it stands for itself, between quotes, too (systemd.service(5), "Command lines"; extract_first_word with EXTRACT_UNQUOTE).
std::vector<std::string> words_of(std::string_view value) {
  std::vector<std::string> words;
  bool inside = false;
  char quote = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (quote == 0 && (c == ' ' || c == '\t')) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    if (c == '\\') words.back() += value[++i];
    else if (quote == 0 && (c == '"' || c == '\'')) quote = c;
    else if (c == quote) quote = 0;
    else words.back() += c;
  }
  return words;
}

}  // namespace

TEST_CASE("kube::refusals_of, flags") {
  for (const auto& row : std::vector<std::pair<std::string, std::string>>{
           {"v", ""}, {"node-ip", ""}, {"node_ip", ""}, {"max-pods", ""}, {"help", ""},
           {"container-runtime-endpoint", ""},
           {"network-plugin", "24-1000"}, {"cni_bin_dir", "24-1000"}, {"dynamic-config-dir", "24-1000"},
           {"logtostderr", "26-1000"}, {"keep-terminated-pod-volumes", "31-1000"}, {"pod-infra-container-image", "35-1000"},
           {"containerd", "37-1000"}, {"containerized", "20-1000"},
           {"seccomp-default", "20-22"}, {"config-dir", "20-28"}, {"fail-cgroupv1", "20-31"},
           {"allow-privileged", "20-39"}, {"max-pod", "20-39"}, {"", "20-39"}, {"max-pods node-ip", "20-39"}}) {
    CAPTURE(row.first);
    CHECK(ranges(row.first) == row.second);
  }
  CHECK(refusals_of("network-plugin", "cni").front().message ==
        "the kubelet's flag --network-plugin was removed in 1.24: the kubelet of 1.24 and later does not start with it");
  CHECK(refusals_of("max-pod", "5").front().message ==
        "no kubelet of 1.20 to 1.38 has the flag --max-pod (did you mean --max-pods?); it would not start");
}

TEST_CASE("kube::refusals_of, values that a release took away") {
  CHECK(ranges("cloud-provider", "external") == "");
  CHECK(ranges("cloud-provider", "") == "");
  CHECK(ranges("cloud-provider", "aws") == "27-34");
  CHECK(ranges("cloud_provider", "openstack") == "26-34");
  CHECK(ranges("cloud-provider", "gce") == "31-34");
  CHECK(ranges("cloud-provider", "hetzner") == "20-34");
  CHECK(ranges("container-runtime", "remote") == "27-1000");
  CHECK(ranges("container-runtime", "docker") == "27-1000 24-27");
}

TEST_CASE("kube::environment_line: systemd gives the kubelet exactly these words") {
  const auto carried = [](const std::vector<std::string>& words) { return words_of(value_of(environment_line("K", words))); };
  // As kubeadm writes them.
  CHECK(environment_line("K", std::vector<std::string>{}) == "K=\"\"\n");
  CHECK(environment_line("K", std::vector<std::string>{"--a=b", "--c=x,y=1,$HOME,100%,~!#;*"}) == "K=\"--a=b --c=x,y=1,$HOME,100%,~!#;*\"\n");
  CHECK(environment_line("K", std::vector<std::string>{"--a=b c", "--d=e\"f\"", "--g=h'i", "--j=k\\l"}) ==
        "K=\"'--a=b c' '--d=e\\\"f\\\"' \\\"--g=h'i\\\" \\\"--j=k\\\\\\\\l\\\"\"\n");
  std::mt19937 dice(7);
  constexpr std::string_view kLetters = "ab \t\"'\\$`%{}=,#;\xC3\xA4\xC2\xA0";
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> words(1 + dice() % 4);
    for (std::string& word : words) {
      word = "--" + std::string(1, static_cast<char>('a' + dice() % 26)) + "=";
      for (unsigned left = dice() % 8; left > 0; --left) word += kLetters[dice() % kLetters.size()];
    }
    CAPTURE(environment_line("K", words));
    CHECK(carried(words) == words);
    CHECK(std::all_of(words.begin(), words.end(), carriable));
  }
  for (const std::string& word : {std::string("a\nb"), std::string("a\rb"), std::string("a\0b", 3), std::string("a\x7F")}) CHECK_FALSE(carriable(word));
}
