// A CUDA library that does not fit the worker.
#include "worker/cuda/table.h"

namespace {

constexpr tradewind::cuda::Table table = {
#ifdef OTHER_version
    .version = tradewind::cuda::table_version + 1,
#else
    .version = tradewind::cuda::table_version,
#endif
    .bytes = sizeof(tradewind::cuda::Table),
    .torch_version = "1.0.0"};

}  // namespace

extern "C" const tradewind::cuda::Table* tradewind_cuda_table() { return &table; }
