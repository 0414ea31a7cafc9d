// A container runtime's answers to Version and Status, over gRPC (k8s.io/cri-api pkg/apis/runtime/v1/api.proto).
#pragma once

#include "behaviour.h"
#include "exchange.h"

namespace kubejoin::standin {

void serve_cri(Exchange& exchange, const Behaviour& behaviour);

}  // namespace kubejoin::standin
