// A word that a stream writes when it comes there.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace tradewind::cuda {

// Queues *word = mark; word: in memory that host and device share.
cudaError_t launch_mark(std::uint64_t* word, std::uint64_t mark, cudaStream_t stream);

}  // namespace tradewind::cuda
