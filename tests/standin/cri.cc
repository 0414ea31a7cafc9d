// Protocol buffers by hand: every field here is a text, a message, or true.
#include "cri.h"

namespace kubejoin::standin {
namespace {

std::string varint(std::size_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
std::string field(unsigned number, const std::string& text) {
  return varint(number << 3 | 2) + varint(text.size()) + text;
}
std::string flag(unsigned number, bool value) { return value ? varint(number << 3) + varint(1) : ""; }

std::string version(const std::string& api) {
  return field(1, "0.1.0") + field(2, "containerd") + field(3, "1.6.20") + field(4, api);
}

std::string condition(const std::string& type, bool ready, const std::string& reason, const std::string& message) {
  return field(1, field(1, type) + flag(2, ready) + (ready ? "" : field(3, reason) + field(4, message)));
}
std::string status(const Behaviour& behaviour) {
  return field(1, condition("RuntimeReady", behaviour.runtime_ready, "ShimDown", "the shim does not answer") +
                      condition("NetworkReady", behaviour.network_ready, "NetworkPluginNotReady",
                                "Network plugin returns error: cni plugin not initialized")) +
         field(2, field(1, "config") + field(2, R"({"containerd":{"defaultRuntimeName":"runc","runtimes":{"runc":{"runtimeType":"io.containerd.runc.v2","options":{"SystemdCgroup":)" +
                                                    std::string(behaviour.systemd_cgroup ? "true" : "false") + "}}}}}"));
}

}  // namespace

void serve_cri(Exchange& exchange, const Behaviour& behaviour) {
  const std::string api = behaviour.cri_v1 ? "v1" : "v1alpha2";
  const std::string service = "/runtime." + api + ".RuntimeService/";
  std::string message;
  if (exchange.request.path == service + "Version")
    message = version(api);
  else if (exchange.request.path == service + "Status")
    message = status(behaviour);
  else if (behaviour.cri_v1 && behaviour.runtime_config && exchange.request.path == service + "RuntimeConfig")
    message = field(1, flag(1, !behaviour.systemd_cgroup));  // linux: {cgroup_driver: CGROUPFS}; SYSTEMD is the zero
  exchange.head(200, {{"Content-Type", "application/grpc"}}, -1);
  if (message.empty()) return exchange.end({{"grpc-status", "12"}, {"grpc-message", "unknown service or method"}});
  const std::size_t size = message.size();  // a flag byte and four of length, grpc/doc/PROTOCOL-HTTP2.md
  exchange.body(std::string{0, 0, 0, static_cast<char>(size >> 8), static_cast<char>(size & 255)} + message);
  exchange.end({{"grpc-status", "0"}});
}

}  // namespace kubejoin::standin
