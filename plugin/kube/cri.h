// What the container runtime is asked over its gRPC socket (CRI), as bytes; the exchange is the caller's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/http.h"
#include "base/result.h"

namespace kubejoin::kube {

// "runtime.v1" (containerd 1.6, CRI-O 1.20 and later), "runtime.v1alpha2" (before; removed from the kubelet in 1.26),
// in the order to be tried: a runtime that lacks one answers "cri.unimplemented".
inline constexpr std::string_view kCriServices[] = {"runtime.v1.RuntimeService", "runtime.v1alpha2.RuntimeService"};

// POST over HTTP/2 without TLS on the runtime's unix socket (HttpOptions::h2c), framed as gRPC over HTTP/2 wants it:
// a flag byte, four bytes of length, the message (grpc/doc/PROTOCOL-HTTP2.md).
HttpRequest cri_version_request(std::string_view service);
HttpRequest cri_status_request(std::string_view service);
HttpRequest cri_list_sandboxes_request(std::string_view service);
HttpRequest cri_stop_sandbox_request(std::string_view service, std::string_view id);    // and its containers; one that is stopped is no error
HttpRequest cri_remove_sandbox_request(std::string_view service, std::string_view id);  // the same
HttpRequest cri_pull_image_request(std::string_view image);                             // runtime.v1.ImageService
HttpRequest cri_runtime_config_request();  // v1 alone, and there since containerd 2.0 and CRI-O 1.28
HttpRequest cri_info_request(std::string_view service);  // a Status that tells the runtime's configuration as well

struct CriVersion {
  std::string runtime_name, runtime_version, runtime_api_version;  // "containerd", "1.6.20", "v1"
};
// Field numbers: k8s.io/cri-api pkg/apis/runtime/v1/api.proto; they are the same in v1alpha2.
struct CriStatus {
  struct Condition {
    bool present = false, ready = false;
    std::string reason, message;  // as the runtime says it: show through printable()
  };
  Condition runtime, network;  // RuntimeReady, NetworkReady
};

// Errors: a gRPC status other than OK is Kind::unfit "cri.status" ("cri.unimplemented" for 12, Kind::unavailable
// "cri.unavailable" for 14); an answer that is no gRPC, is compressed, cut short or larger than 1 MiB is Kind::unfit
// "cri.answer".
Result<CriVersion> parse_cri_version(const HttpResponse& answer);
Result<CriStatus> parse_cri_status(const HttpResponse& answer);
// The cgroup driver: "systemd" or "cgroupfs"; "" when the runtime says neither.
Result<std::string> parse_cri_runtime_config(const HttpResponse& answer);
// The same of containerd before 2.0, out of the effective configuration that it shows: of the default runtime, when that
// is runc. "" when it does not say.
Result<std::string> parse_cri_info_cgroup_driver(const HttpResponse& answer);
Result<std::vector<std::string>> parse_cri_sandboxes(const HttpResponse& answer);  // their ids, those that ended too
Status parse_cri_done(const HttpResponse& answer);                                 // of what answers with nothing that is of interest

}  // namespace kubejoin::kube
