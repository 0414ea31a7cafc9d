// Fuzzes the answers of a container runtime: gRPC frames, protobuf, and the JSON in them.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "kube/cri.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kubejoin;
  HttpResponse answer;
  answer.status = 200;
  answer.body.assign(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) answer.body += static_cast<char>(size >> shift & 0xFF);
  answer.body.append(reinterpret_cast<const char*>(data), size);
  (void)kube::parse_cri_version(answer);
  (void)kube::parse_cri_status(answer);
  for (const auto& driver : {kube::parse_cri_runtime_config(answer), kube::parse_cri_info_cgroup_driver(answer)})
    if (driver && !driver->empty() && *driver != "systemd" && *driver != "cgroupfs") std::abort();
  return 0;
}
