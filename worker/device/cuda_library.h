// The CUDA side of the worker, loaded when a rank is to compute on a CUDA device. Loading registers LibTorch's CUDA
// operations with the process, for good; so does the table of our own kernels.
#pragma once

#include <functional>
#include <string>

#include "worker/cuda/functions.h"

namespace tradewind::device {

// Where worker_cuda.so is: beside this executable or in the lib folder of its installation; empty when in neither.
std::string cuda_library_path();

// Loads it, once. Throws EnvironmentFault when it does not load, is not ours or was built for another LibTorch.
const cuda::Functions& load_cuda_library(const std::string& path);

// The table that was loaded; null before. Thread-safe.
const cuda::Functions* loaded_cuda();

// Queues graph attention of destination rows [0, rows) by the library's kernel; pointers of the device.
std::function<void(const kernels::GraphAttention& arguments, std::int64_t rows)> graph_attention_of(
    const cuda::Functions& library);

// Turns what a function of the table returns into an EnvironmentFault.
void check_cuda(const char* error, const std::string& where);

}  // namespace tradewind::device
