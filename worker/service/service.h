// A model that stays: its weights loaded, its ranks joined, it makes the model calls that a client on this host asks
// for. Tensors are in memory that client and ranks share; every rank reads and writes its own rows of them. It ends
// with its client, or when none has asked for `idle`. Collective. Errors: those of a model call; of a request, the
// client is told.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "common/precision.h"
#include "worker/device/device.h"
#include "worker/dist/communicator.h"
#include "worker/report/reporter.h"

namespace tradewind::service {

struct Options {
  std::string checkpoint;
  std::optional<Precision> precision;  // default f32
  std::string socket, token;           // of rank 0: where it listens, and what a client has to know
  std::chrono::seconds idle{600};
};
void run_service(const Options& options, const device::Device& device, dist::Communicator& communicator,
                 report::Reporter& reporter);

}  // namespace tradewind::service
