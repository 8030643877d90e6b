// What worker_cuda.so gives the worker: a table of functions, fetched by one symbol when the library is loaded. The
// worker itself links no CUDA library, so that one binary serves machines with and without. A table fits when version
// and LibTorch are the worker's own. No function throws; each returns null, or what went wrong (valid until the calling
// thread's next call). All but the first two use the calling thread's current CUDA device, which `open` sets.
#pragma once

#include <cstddef>
#include <cstdint>

#include "worker/kernels/arguments.h"

namespace c10d {
class Store;
class Backend;
}  // namespace c10d

namespace tradewind::cuda {

constexpr std::uint32_t functions_version = 3;

struct DeviceFacts {
  char name[256];            // as the driver calls it
  char uuid[40];             // 32 hexadecimal digits: equal for two processes that share a device
  std::int64_t total_bytes;  // of device memory
};

struct DeviceMemory {
  std::int64_t peak_bytes;      // most that tensors held at one time since `open`
  std::int64_t reserved_bytes;  // most that the allocator took from the driver, so what others could not have
};

// Ranks that each have a device of their own. Collective.
struct NcclGroup {
  c10d::Store* store;
  int rank, size;
  std::int64_t timeout_milliseconds;
};

extern "C" {
struct Functions {
  std::uint32_t version;
  std::uint32_t bytes;  // sizeof(Functions)
  const char* torch_version;
  const char* (*count)(int* devices);
  const char* (*open)(int device);
  const char* (*facts)(int device, DeviceFacts* facts);
  const char* (*memory)(int device, DeviceMemory* memory);
  // Queues destination rows [0, rows) on the current stream; every pointer is the device's.
  const char* (*graph_attention)(const kernels::GraphAttention* arguments, std::int64_t rows);
  // backend: a new reference, the caller's to release.
  const char* (*connect)(const NcclGroup* group, c10d::Backend** backend);
  // Lets the device write to `bytes` from `memory` on, whole pages of this process; seen: that address for the device.
  const char* (*share)(void* memory, std::size_t bytes, void** seen);
  // Queues on the current stream: after all that was queued before, *word = mark. word: of the device, in shared
  // memory.
  const char* (*mark)(std::uint64_t* word, std::uint64_t mark);
  // What c10d's flight recorder holds of NCCL's collectives, in JSON; valid until the calling thread's next call.
  const char* (*flight_record)(const char** json);
};
using GetFunctions = const Functions* (*)();
}
constexpr const char* functions_symbol = "tradewind_cuda_functions";

}  // namespace tradewind::cuda
