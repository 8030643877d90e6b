#include "worker/device/cuda_library.h"

#include <dlfcn.h>

#include <torch/headeronly/version.h>
#include <atomic>
#include <string_view>

#include "common/errors.h"
#include "common/own_library.h"

namespace tradewind::device {
namespace {

std::atomic<const cuda::Functions*> loaded{nullptr};

const cuda::Functions& functions_of(void* library, const std::string& path) {
  const auto function = reinterpret_cast<cuda::GetFunctions>(::dlsym(library, cuda::functions_symbol));
  const cuda::Functions* table = function != nullptr ? function() : nullptr;
  if (table == nullptr) {
    throw EnvironmentFault("this is not Tradewind's CUDA library", path, "install Tradewind anew");
  }
  if (table->version != cuda::functions_version || table->bytes != sizeof(cuda::Functions)) {
    throw EnvironmentFault("the CUDA library has version " + std::to_string(table->version) + ", this worker needs " +
                               std::to_string(cuda::functions_version),
                           path, "build or install both together");
  }
  if (std::string_view(table->torch_version) != TORCH_VERSION) {
    throw EnvironmentFault(std::string("the CUDA library was built for LibTorch ") + table->torch_version +
                               ", this worker for " + TORCH_VERSION,
                           path, "build or install both together");
  }
  return *table;
}

}  // namespace

std::string cuda_library_path() { return own_library_path("worker_cuda.so"); }

const cuda::Functions& load_cuda_library(const std::string& path) {
  if (const cuda::Functions* table = loaded_cuda()) return *table;
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);  // never closed: LibTorch keeps what it registered
  if (library == nullptr) {
    throw EnvironmentFault(std::string("the CUDA library does not load: ") + ::dlerror(), path,
                           "give the folder of that library in LD_LIBRARY_PATH (see docs/cuda.md), or set device: cpu");
  }
  const cuda::Functions& table = functions_of(library, path);
  loaded.store(&table);
  return table;
}

const cuda::Functions* loaded_cuda() { return loaded.load(); }

std::function<void(const kernels::GraphAttention&, std::int64_t)> graph_attention_of(const cuda::Functions& library) {
  return [&library](const kernels::GraphAttention& arguments, std::int64_t rows) {
    check_cuda(library.graph_attention(&arguments, rows), "graph attention");
  };
}

void check_cuda(const char* error, const std::string& where) {
  if (error == nullptr) return;
  throw EnvironmentFault(std::string("CUDA: ") + error, where,
                         "see whether nvidia-smi works on this host and the device's memory is free");
}

}  // namespace tradewind::device
