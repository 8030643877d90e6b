// A CUDA library that does not fit the worker.
#include "worker/cuda/functions.h"

namespace {

constexpr tradewind::cuda::Functions table = {
#ifdef OTHER_version
    .version = tradewind::cuda::functions_version + 1,
#else
    .version = tradewind::cuda::functions_version,
#endif
    .bytes = sizeof(tradewind::cuda::Functions),
    .torch_version = "1.0.0"};

}  // namespace

extern "C" const tradewind::cuda::Functions* tradewind_cuda_functions() { return &table; }
