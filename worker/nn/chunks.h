// Rows cut into chunks that threads work off, each with the products and kernels of its chunk to itself: threads meet
// once after all chunks instead of once after every operation, which is what small models spend their time on.
#pragma once

#include <cstdint>
#include <functional>

#include "worker/nn/workspace.h"

namespace tradewind::nn {

// Calls work(i) for every i of [0, count), on all threads of the CPU, which take the next as they finish one. Inside,
// operations are serial and the workspace gives each thread its own memory. Serial and in order on another device, with
// one thread, and inside another such call. The first exception is passed on.
void for_each_task(std::int64_t count, Workspace& workspace, const std::function<void(std::int64_t)>& work);

// At most `chunk` rows, fewer if threads would otherwise have less than a few chunks each of `rows`.
std::int64_t shared_chunk(std::int64_t rows, std::int64_t chunk, const Workspace& workspace);

// Calls work(begin, count) for chunks of [0, rows) of shared_chunk rows, as for_each_task does.
void for_each_chunk(std::int64_t rows, std::int64_t chunk, Workspace& workspace,
                    const std::function<void(std::int64_t begin, std::int64_t count)>& work);

}  // namespace tradewind::nn
