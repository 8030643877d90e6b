// worker_cuda.so: the table of table.h, over LibTorch's CUDA libraries.
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>
#include <c10/util/Exception.h>
#include <cuda_runtime_api.h>

#include <torch/headeronly/version.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "worker/cuda/functions.h"
#include "worker/cuda/graph_attention.h"
#include "worker/cuda/mark.h"

namespace tradewind::cuda {
namespace {

const char* remember(std::string text) {
  thread_local std::string last;
  last = std::move(text);
  return last.c_str();
}

const char* check(cudaError_t error) { return error == cudaSuccess ? nullptr : remember(cudaGetErrorString(error)); }

// Runs what may throw; the text of what it throws is the result.
template <class Body>
const char* guarded(const Body& body) {
  try {
    return body();
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    return remember(text.substr(0, text.find('\n')));  // advice for Python programs follows
  } catch (const std::exception& error) {
    return remember(error.what());
  }
}

const char* count(int* devices) { return check(cudaGetDeviceCount(devices)); }

const char* open(int device) {
  return guarded([&] {
    c10::cuda::set_device(static_cast<c10::DeviceIndex>(device));
    if (const char* error = check(cudaFree(nullptr))) return error;  // makes the context now, where errors have a name
    c10::cuda::CUDACachingAllocator::init(c10::cuda::device_count());
    c10::cuda::CUDACachingAllocator::resetPeakStats(static_cast<c10::DeviceIndex>(device));
    return static_cast<const char*>(nullptr);
  });
}

const char* facts(int device, DeviceFacts* facts) {
  cudaDeviceProp properties{};
  if (const char* error = check(cudaGetDeviceProperties(&properties, device))) return error;
  std::snprintf(facts->name, sizeof facts->name, "%s", properties.name);
  for (std::size_t i = 0; i < sizeof properties.uuid.bytes; ++i) {
    std::snprintf(facts->uuid + 2 * i, 3, "%02x", static_cast<unsigned char>(properties.uuid.bytes[i]));
  }
  facts->total_bytes = static_cast<std::int64_t>(properties.totalGlobalMem);
  return nullptr;
}

const char* memory(int device, DeviceMemory* memory) {
  return guarded([&] {
    const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(device));
    memory->peak_bytes = stats.allocated_bytes[0].peak;
    memory->reserved_bytes = stats.reserved_bytes[0].peak;
    return static_cast<const char*>(nullptr);
  });
}

const char* graph_attention(const kernels::GraphAttention* arguments, std::int64_t rows) {
  return guarded(
      [&] { return check(launch_graph_attention(*arguments, rows, c10::cuda::getCurrentCUDAStream().stream())); });
}

const char* connect(const NcclGroup* group, c10d::Backend** backend) {
  return guarded([&] {
    const auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = std::chrono::milliseconds(group->timeout_milliseconds);
    auto made = c10::make_intrusive<c10d::ProcessGroupNCCL>(c10::intrusive_ptr<c10d::Store>::reclaim_copy(group->store),
                                                            group->rank, group->size, options);
    *backend = made.release();
    return static_cast<const char*>(nullptr);
  });
}

const char* share(void* memory, std::size_t bytes, void** seen) {
  cudaError_t error = cudaHostRegister(memory, bytes, cudaHostRegisterMapped);
  if (error == cudaSuccess) error = cudaHostGetDevicePointer(seen, memory, 0);
  if (error != cudaSuccess) static_cast<void>(cudaGetLastError());  // else the next operation would be blamed for it
  return check(error);
}

const char* mark(std::uint64_t* word, std::uint64_t mark) {
  return guarded([&] { return check(launch_mark(word, mark, c10::cuda::getCurrentCUDAStream().stream())); });
}

const char* flight_record(const char** json) {
  thread_local std::string last;
  return guarded([&] {
    last = c10d::dump_nccl_trace_json(true, false);
    *json = last.c_str();
    return static_cast<const char*>(nullptr);
  });
}

constexpr Functions table = {functions_version, sizeof(Functions), TORCH_VERSION, count, open,         facts, memory,
                             graph_attention,   connect,           share,         mark,  flight_record};

}  // namespace
}  // namespace tradewind::cuda

extern "C" __attribute__((visibility("default"))) const tradewind::cuda::Functions* tradewind_cuda_functions() {
  return &tradewind::cuda::table;
}
