// gRPC framing and as much of protobuf as CRI's answers need.
#include "kube/cri.h"

#include <cstdint>
#include <optional>

#include "base/text.h"
#include "kube/json.h"

namespace kubejoin::kube {
namespace {

constexpr std::size_t kFrameHeader = 5, kMaxMessage = 1 << 20;

tl::unexpected<Error> bad_answer(const std::string& why) {
  return fail(Kind::unfit, "cri.answer", "unable to read the container runtime's answer: " + why,
              "is criSocket the socket of a container runtime?");
}

HttpRequest request(std::string_view service, std::string_view method, std::string_view message) {
  HttpRequest out;
  out.method = "POST";
  out.url = "http://localhost/" + std::string(service) + "/" + std::string(method);
  out.headers = {{"content-type", "application/grpc"}, {"te", "trailers"}};
  out.body = std::string(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) out.body += static_cast<char>(message.size() >> shift & 0xFF);
  out.body += message;
  out.max_bytes = kFrameHeader + kMaxMessage;
  return out;
}

// ---- gRPC ----

Status check_grpc_status(const HttpResponse& answer) {
  const auto header = [&](const char* name) {
    const auto found = answer.headers.find(name);
    return found != answer.headers.end() ? found->second : std::string();
  };
  if (answer.status != 200) return bad_answer("HTTP status " + std::to_string(answer.status));
  const std::string status = header("grpc-status");
  if (status.empty() || status == "0") return {};
  const std::string sentence = "unable to ask the container runtime: gRPC status " + printable(status, 8) + " " +
                               printable(header("grpc-message"));
  if (status == "12")
    return fail(Kind::unfit, "cri.unimplemented", sentence,
                "the runtime lacks this version of CRI, or its CRI plugin is disabled");
  if (status == "14") return fail(Kind::unavailable, "cri.unavailable", sentence);
  return fail(Kind::unfit, "cri.status", sentence);
}

Result<std::string_view> message_of(const HttpResponse& answer) {
  CHECK_OK(check_grpc_status(answer));
  const std::string_view body = answer.body;
  if (body.size() < kFrameHeader) return bad_answer("it holds no message");
  if (body[0] != 0) return bad_answer("it is compressed, which was not asked for");
  std::size_t size = 0;
  for (std::size_t i = 1; i < kFrameHeader; ++i) size = size << 8 | static_cast<unsigned char>(body[i]);
  if (size > kMaxMessage) return bad_answer("it is larger than 1 MiB");
  if (body.size() != kFrameHeader + size) return bad_answer("it is cut short, or more than one message");
  return body.substr(kFrameHeader);
}

// ---- protobuf (protobuf.dev, "Encoding") ----

struct Field {
  std::uint64_t number = 0;
  std::uint64_t value = 0;  // of a varint
  std::string_view bytes;   // of a string or a message
};

// Reads one field after the other; fixed-width ones come as empty fields. `broken` once the bytes are no protobuf.
class Fields {
 public:
  explicit Fields(std::string_view message) : rest_(message) {}
  bool broken = false;

  std::optional<Field> next() {
    if (rest_.empty() || broken) return std::nullopt;
    const std::uint64_t tag = varint();
    Field field;
    field.number = tag >> 3;
    switch (tag & 7) {
      case 0:
        field.value = varint();
        break;
      case 1:
        take(8);
        break;
      case 2:
        field.bytes = take(varint());
        break;
      case 5:
        take(4);
        break;
      default:
        broken = true;  // groups, which proto3 does not have
    }
    if (field.number == 0) broken = true;
    return broken ? std::nullopt : std::optional(field);
  }

 private:
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::string_view byte = take(1);
      if (byte.empty()) return 0;
      value |= static_cast<std::uint64_t>(byte[0] & 0x7F) << shift;
      if ((byte[0] & 0x80) == 0) return value;
    }
    broken = true;
    return 0;
  }
  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) broken = true;
    if (broken) return {};
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
};

// Calls visit(field) for each field; false when the bytes are no protobuf, or a visit says so.
template <class Visit>
bool each_field(std::string_view message, Visit visit) {
  Fields fields(message);
  while (const auto field = fields.next())
    if (!visit(*field)) return false;
  return !fields.broken;
}

bool read_condition(std::string_view message, CriStatus& status) {
  CriStatus::Condition condition;
  std::string type;
  const bool good = each_field(message, [&](const Field& field) {
    if (field.number == 1) type = field.bytes;
    if (field.number == 2) condition.ready = field.value != 0;
    if (field.number == 3) condition.reason = field.bytes;
    if (field.number == 4) condition.message = field.bytes;
    return true;
  });
  condition.present = true;
  if (type == "RuntimeReady") status.runtime = condition;
  if (type == "NetworkReady") status.network = condition;
  return good;
}

// A text or a message as the field 1 of another.
std::string first_field(std::string_view content) {
  std::string out = "\n";
  std::size_t size = content.size();
  for (; size >= 0x80; size >>= 7) out += static_cast<char>(size | 0x80);
  return out + static_cast<char>(size) + std::string(content);
}

}  // namespace

HttpRequest cri_list_sandboxes_request(std::string_view service) { return request(service, "ListPodSandbox", ""); }
HttpRequest cri_stop_sandbox_request(std::string_view service, std::string_view id) { return request(service, "StopPodSandbox", first_field(id)); }
HttpRequest cri_remove_sandbox_request(std::string_view service, std::string_view id) { return request(service, "RemovePodSandbox", first_field(id)); }
HttpRequest cri_pull_image_request(std::string_view image) { return request("runtime.v1.ImageService", "PullImage", first_field(first_field(image))); }

HttpRequest cri_version_request(std::string_view service) {
  return request(service, "Version", "\n\x05\x30.1.0");  // field 1, 5 bytes: "0.1.0", as the kubelet says
}

HttpRequest cri_status_request(std::string_view service) { return request(service, "Status", ""); }

HttpRequest cri_info_request(std::string_view service) { return request(service, "Status", "\x08\x01"); }  // verbose = 1

HttpRequest cri_runtime_config_request() { return request(kCriServices[0], "RuntimeConfig", ""); }

Result<CriVersion> parse_cri_version(const HttpResponse& answer) {
  TRY(const std::string_view message, message_of(answer));
  CriVersion version;
  const bool good = each_field(message, [&](const Field& field) {
    if (field.number == 2) version.runtime_name = field.bytes;
    if (field.number == 3) version.runtime_version = field.bytes;
    if (field.number == 4) version.runtime_api_version = field.bytes;
    return true;
  });
  if (!good) return bad_answer("it is no VersionResponse");
  return version;
}

Result<CriStatus> parse_cri_status(const HttpResponse& answer) {
  TRY(const std::string_view message, message_of(answer));
  CriStatus status;
  const bool good =
      each_field(message, [&](const Field& field) {  // StatusResponse.status = 1, RuntimeStatus.conditions = 1
        if (field.number != 1) return true;
        return each_field(field.bytes,
                          [&](const Field& inner) { return inner.number != 1 || read_condition(inner.bytes, status); });
      });
  if (!good) return bad_answer("it is no StatusResponse");
  return status;
}

// RuntimeConfigResponse.linux = 1, LinuxRuntimeConfiguration.cgroup_driver = 1: SYSTEMD = 0, which is not sent, CGROUPFS = 1.
Result<std::string> parse_cri_runtime_config(const HttpResponse& answer) {
  TRY(const std::string_view message, message_of(answer));
  std::string driver;
  const bool good = each_field(message, [&](const Field& field) {
    if (field.number != 1) return true;
    std::uint64_t value = 0;
    const bool read = each_field(field.bytes, [&](const Field& inner) {
      if (inner.number == 1) value = inner.value;
      return true;
    });
    driver = value == 0 ? "systemd" : value == 1 ? "cgroupfs" : "";
    return read;
  });
  if (!good) return bad_answer("it is no RuntimeConfigResponse");
  return driver;
}

namespace {

// containerd's CRI plugin as it runs (containerd pkg/cri/config): containerd.defaultRuntimeName, containerd.runtimes.NAME.
std::string cgroup_driver_of(const rapidjson::Value& config) {
  const std::string name = text_at(config, {"containerd", "defaultRuntimeName"});
  const rapidjson::Value* runtime = value_at(config, {"containerd", "runtimes", name.c_str()});
  if (name.empty() || runtime == nullptr || text_at(*runtime, {"runtimeType"}).rfind("io.containerd.runc.", 0) != 0) return {};
  const rapidjson::Value* given = value_at(*runtime, {"options", "SystemdCgroup"});
  const rapidjson::Value* of_all = value_at(config, {"systemdCgroup"});  // of the runtime v1
  const auto is_true = [](const rapidjson::Value* value) { return value != nullptr && value->IsBool() && value->GetBool(); };
  return is_true(given) || is_true(of_all) ? "systemd" : "cgroupfs";
}

}  // namespace

// StatusResponse.info = 2, a map: entries of key = 1 and value = 2; "config" is JSON.
Result<std::string> parse_cri_info_cgroup_driver(const HttpResponse& answer) {
  TRY(const std::string_view message, message_of(answer));
  std::string_view config;
  const bool good = each_field(message, [&](const Field& field) {
    if (field.number != 2) return true;
    std::string_view key, value;
    const bool read = each_field(field.bytes, [&](const Field& inner) {
      if (inner.number == 1) key = inner.bytes;
      if (inner.number == 2) value = inner.bytes;
      return true;
    });
    if (key == "config") config = value;
    return read;
  });
  if (!good) return bad_answer("it is no StatusResponse");
  const auto read = read_json(config, "read the container runtime's configuration");
  return read ? cgroup_driver_of(*read) : std::string();
}

Result<std::vector<std::string>> parse_cri_sandboxes(const HttpResponse& answer) {
  TRY(const std::string_view message, message_of(answer));
  std::vector<std::string> ids;
  const bool good = each_field(message, [&](const Field& field) {  // ListPodSandboxResponse.items = 1, PodSandbox.id = 1
    if (field.number != 1) return true;
    return each_field(field.bytes, [&](const Field& inner) {
      if (inner.number == 1) ids.emplace_back(inner.bytes);
      return true;
    });
  });
  if (!good) return bad_answer("it is no ListPodSandboxResponse");
  return ids;
}

Status parse_cri_done(const HttpResponse& answer) { return check_grpc_status(answer); }

}  // namespace kubejoin::kube
