// Paths and bodies, letter by letter; those of the real joins are in the audit logs that the paths were taken from.
#include "kube/requests.h"

#include <doctest/doctest.h>

using namespace kubejoin;
using namespace kubejoin::kube;

TEST_CASE("kube request paths") {
  CHECK(cluster_info_path() == "/api/v1/namespaces/kube-public/configmaps/cluster-info");
  CHECK(config_map_path("kubelet-config-1.20") == "/api/v1/namespaces/kube-system/configmaps/kubelet-config-1.20");
  CHECK(node_path("node1.example.com") == "/api/v1/nodes/node1.example.com");
  CHECK(node_path("a/../b?c#d e%") == "/api/v1/nodes/a%2F..%2Fb%3Fc%23d%20e%25");
  CHECK(node_path("\xC3\xA4") == "/api/v1/nodes/%C3%A4");
  CHECK(csr_collection_path(kCsrApis[0]) == "/apis/certificates.k8s.io/v1/certificatesigningrequests");
  CHECK(csr_path(kCsrApis[1], "node-csr--aB_c") ==
        "/apis/certificates.k8s.io/v1beta1/certificatesigningrequests/node-csr--aB_c");
  CHECK(csr_watch_path(kCsrApis[0], "csr-ktmm8", "1126", 401) ==
        "/apis/certificates.k8s.io/v1/"
        "certificatesigningrequests?watch=true&allowWatchBookmarks=true&fieldSelector=metadata.name%3Dcsr-ktmm8"
        "&resourceVersion=1126&timeoutSeconds=401");
  CHECK(node_watch_path("node1", "", 60) ==
        "/api/v1/nodes?watch=true&allowWatchBookmarks=true&fieldSelector=metadata.name%3Dnode1&timeoutSeconds=60");
  CHECK(node_events_path() == "/api/v1/namespaces/default/events");
}

TEST_CASE("kube request bodies") {
  CHECK(
      node_patch({}, {{std::string(kCriSocketAnnotation), "unix:///var/run/containerd/containerd.sock"}}) ==
      R"({"metadata":{"annotations":{"kubeadm.alpha.kubernetes.io/cri-socket":"unix:///var/run/containerd/containerd.sock"}}})");
  CHECK(node_patch({{"zone", "a\"b"}}, {}) == R"({"metadata":{"labels":{"zone":"a\"b"}}})");
  CHECK(node_patch({}, {}) == R"({"metadata":{}})");
  CHECK(
      node_event("n1", "u1", "Joined", "in 1.2s", WallTime{}) ==
      R"({"apiVersion":"v1","kind":"Event","metadata":{"generateName":"n1.","namespace":"default"},)"
      R"("involvedObject":{"apiVersion":"v1","kind":"Node","name":"n1","uid":"u1"},"reason":"Joined","message":"in 1.2s","type":"Normal",)"
      R"("source":{"component":"kubejoin","host":"n1"},"firstTimestamp":"1970-01-01T00:00:00.000Z","lastTimestamp":"1970-01-01T00:00:00.000Z","count":1})");
}
