// The GPUs that a process of this host may use, counted without CUDA.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tradewind::launcher {

struct Gpu {
  std::string uuid;              // GPU-...; empty when it was counted by its device file
  std::vector<std::string> mig;  // UUIDs of its MIG instances
};

// By NVML, opened at run time, else by the device files. In the order of their indices.
std::vector<Gpu> gpus_of_host();

// How many of them CUDA_VISIBLE_DEVICES leaves (nothing: all of them): a list of indices, UUIDs or their beginnings, or
// MIG instances. As in CUDA, the list ends at the first entry that names no device. Pure.
int visible_gpus(const std::vector<Gpu>& gpus, const std::optional<std::string>& cuda_visible_devices);

}  // namespace tradewind::launcher
