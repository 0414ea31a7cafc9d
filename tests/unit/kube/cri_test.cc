// gRPC frames and CRI answers: one recorded shape, every way an answer can be cut or forged.
#include "kube/cri.h"

#include <doctest/doctest.h>

#include "base/text.h"

using namespace kubejoin;
using namespace kubejoin::kube;

namespace {

std::string field(int number, const std::string& bytes) {
  REQUIRE(bytes.size() < 16384);
  std::string out(1, static_cast<char>(number << 3 | 2));
  if (bytes.size() >= 128) out += static_cast<char>((bytes.size() & 0x7F) | 0x80);
  out += static_cast<char>(bytes.size() >= 128 ? bytes.size() >> 7 : bytes.size());
  return out + bytes;
}
std::string flag(int number, bool value) { return {static_cast<char>(number << 3), static_cast<char>(value)}; }

std::string framed(const std::string& message) {
  std::string frame(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(message.size() >> shift & 255);
  return frame + message;
}

HttpResponse answer(std::string body, std::map<std::string, std::string> headers = {{"grpc-status", "0"}},
                    int status = 200) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  return response;
}

std::string condition(const std::string& type, bool ready, const std::string& reason = "",
                      const std::string& message = "") {
  return field(1, field(1, type) + (ready ? flag(2, true) : "") + field(3, reason) + field(4, message));
}

std::string version_message() {
  return field(1, "0.1.0") + field(2, "containerd") + field(3, "1.6.20~ds1") + field(4, "v1");
}

}  // namespace

TEST_CASE("kube::cri requests") {
  const HttpRequest version = cri_version_request(kCriServices[0]), status = cri_status_request(kCriServices[1]);
  CHECK(version.method == "POST");
  CHECK(version.url == "http://localhost/runtime.v1.RuntimeService/Version");
  CHECK(hex(version.body) == "00000000070a05302e312e30");
  CHECK(version.headers ==
        std::vector<std::pair<std::string, std::string>>{{"content-type", "application/grpc"}, {"te", "trailers"}});
  CHECK(status.url == "http://localhost/runtime.v1alpha2.RuntimeService/Status");
  CHECK(hex(status.body) == "0000000000");
}

TEST_CASE("kube::parse_cri_version") {
  const auto version = parse_cri_version(answer(framed(version_message())));
  REQUIRE(version);
  CHECK(version->runtime_name == "containerd");
  CHECK(version->runtime_version == "1.6.20~ds1");
  CHECK(version->runtime_api_version == "v1");
  CHECK(parse_cri_version(answer(framed(version_message()), {})));  // trailers that did not come through
  // Unknown fields of every kind are passed over.
  const std::string unknown = "\x78\xFF\x01" + std::string("\x81\x01") + std::string(8, 'x') + "\x85\x01" +
                              std::string(4, 'x') + field(9, std::string(300, 'y'));
  CHECK(parse_cri_version(answer(framed(unknown + version_message())))->runtime_name == "containerd");
  CHECK(parse_cri_version(answer(framed("")))->runtime_name == "");
}

TEST_CASE("kube::parse_cri_status") {
  const auto parsed = [](const std::string& conditions) {
    return parse_cri_status(answer(framed(field(1, conditions) + field(2, "info"))));
  };
  const auto ready = parsed(condition("RuntimeReady", true) + condition("NetworkReady", true));
  REQUIRE(ready);
  CHECK(ready->runtime.ready);
  CHECK(ready->network.ready);

  const std::string why = "Network plugin returns error: cni plugin not initialized";
  const auto no_network = parsed(condition("RuntimeReady", true) + condition("Other", true) +
                                 condition("NetworkReady", false, "NetworkPluginNotReady", why));
  REQUIRE(no_network);
  CHECK(no_network->runtime.ready);
  CHECK(no_network->network.present);
  CHECK_FALSE(no_network->network.ready);
  CHECK(no_network->network.reason == "NetworkPluginNotReady");
  CHECK(no_network->network.message == why);
  CHECK_FALSE(parsed("")->runtime.present);
}

TEST_CASE("kube::cri answers that are refused") {
  std::string long_frame = framed(version_message());
  long_frame[1] = 0x7F;
  std::string compressed = framed(version_message());
  compressed[0] = 1;
  const struct {
    const char* what;
    HttpResponse response;
    const char* id;
    Kind kind;
  } kRows[] = {
      {"unimplemented",
       answer("", {{"grpc-status", "12"}, {"grpc-message", "unknown service runtime.v1.RuntimeService"}}),
       "cri.unimplemented", Kind::unfit},
      {"unavailable", answer("", {{"grpc-status", "14"}}), "cri.unavailable", Kind::unavailable},
      {"another status", answer(framed(version_message()), {{"grpc-status", "2"}}), "cri.status", Kind::unfit},
      {"no HTTP success", answer("", {}, 404), "cri.answer", Kind::unfit},
      {"empty", answer(""), "cri.answer", Kind::unfit},
      {"half a header", answer(std::string(4, '\0')), "cri.answer", Kind::unfit},
      {"compressed", answer(compressed), "cri.answer", Kind::unfit},
      {"too long", answer(long_frame), "cri.answer", Kind::unfit},
      {"cut short", answer(framed(version_message()).substr(0, 20)), "cri.answer", Kind::unfit},
      {"two messages", answer(framed(version_message()) + framed(version_message())), "cri.answer", Kind::unfit},
      {"a field beyond the end",
       answer(framed("\x12\x7F"
                     "abc")),
       "cri.answer", Kind::unfit},
      {"an endless varint", answer(framed("\x08" + std::string(11, '\xFF'))), "cri.answer", Kind::unfit},
      {"a cut varint", answer(framed("\x08\xFF")), "cri.answer", Kind::unfit},
      {"a length of 2^64-1", answer(framed("\x12" + std::string(9, '\xFF') + "\x01")), "cri.answer", Kind::unfit},
      {"a group", answer(framed("\x0B")), "cri.answer", Kind::unfit},
      {"field 0", answer(framed(std::string("\0\0", 2))), "cri.answer", Kind::unfit},
      {"HTML", answer("<html>404 page not found</html>"), "cri.answer", Kind::unfit},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.what);
    const auto version = parse_cri_version(row.response);
    REQUIRE_FALSE(version);
    CHECK(version.error().id == row.id);
    CHECK(version.error().kind == row.kind);
    const auto status = parse_cri_status(row.response);
    CHECK_FALSE(status);
  }
  // Every prefix of a good answer is refused, not read beyond.
  const std::string good = framed(field(1, condition("RuntimeReady", true)));
  for (std::size_t size = 0; size < good.size(); ++size) CHECK_FALSE(parse_cri_status(answer(good.substr(0, size))));
  const std::string inner = field(1, condition("RuntimeReady", true));
  for (std::size_t size = 1; size < inner.size(); ++size)
    CHECK_FALSE(parse_cri_status(answer(framed(inner.substr(0, size)))));
}

TEST_CASE("kube::cri: the cgroup driver, as RuntimeConfig tells it") {
  CHECK(parse_cri_runtime_config(answer(framed(field(1, "")))).value() == "systemd");  // the zero is not sent
  CHECK(parse_cri_runtime_config(answer(framed(field(1, flag(1, true))))).value() == "cgroupfs");
  CHECK(parse_cri_runtime_config(answer(framed(field(1, std::string("\x08\x02", 2))))).value() == "");
  CHECK(parse_cri_runtime_config(answer(framed(""))).value() == "");
  CHECK(parse_cri_runtime_config(answer(framed("\x0a\x05"))).error().id == "cri.answer");
  CHECK(parse_cri_runtime_config(answer("", {{"grpc-status", "12"}})).error().id == "cri.unimplemented");
}

TEST_CASE("kube::cri: the cgroup driver, as containerd before 2.0 shows it") {
  const auto driver = [](const std::string& config) {
    return parse_cri_info_cgroup_driver(answer(framed(field(1, condition("RuntimeReady", true)) + field(2, field(1, "golang") + field(2, "\"go1.19\"")) + field(2, field(1, "config") + field(2, config)))));
  };
  const auto runc = [](const std::string& options, const std::string& type = "io.containerd.runc.v2") {
    return R"({"containerd":{"defaultRuntimeName":"runc","runtimes":{"runc":{"runtimeType":")" + type + R"(","options":)" + options + "}}},\"systemdCgroup\":false}";
  };
  CHECK(driver(runc(R"({"SystemdCgroup":true})")).value() == "systemd");
  CHECK(driver(runc(R"({"SystemdCgroup":false})")).value() == "cgroupfs");
  CHECK(driver(runc("null")).value() == "cgroupfs");
  CHECK(driver(runc("{}", "io.containerd.kata.v2")).value() == "");
  CHECK(driver(R"({"containerd":{"defaultRuntimeName":"gone","runtimes":{}}})").value() == "");
  CHECK(driver("{").value() == "");
  CHECK(driver("[]").value() == "");
  CHECK(parse_cri_info_cgroup_driver(answer(framed(field(1, condition("RuntimeReady", true))))).value() == "");
  CHECK(parse_cri_info_cgroup_driver(answer(framed("\x12\x05"))).error().id == "cri.answer");
}
