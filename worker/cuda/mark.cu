#include "worker/cuda/mark.h"

namespace tradewind::cuda {
namespace {

__global__ void write_mark(volatile std::uint64_t* word, std::uint64_t mark) {
  *word = mark;
  __threadfence_system();
}

}  // namespace

cudaError_t launch_mark(std::uint64_t* word, std::uint64_t mark, cudaStream_t stream) {
  write_mark<<<1, 1, 0, stream>>>(word, mark);
  return cudaGetLastError();
}

}  // namespace tradewind::cuda
