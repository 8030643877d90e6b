#include "launcher/clusters/devices.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <memory>
#include <set>
#include <sstream>

namespace tradewind::launcher {
namespace {

// The few entries of NVML's stable C interface that are needed here; nvmlReturn_t 0 is success.
class Nvml {
 public:
  Nvml()
      : library_(::dlopen("libnvidia-ml.so.1", RTLD_LAZY | RTLD_LOCAL), [](void* handle) {
          if (handle != nullptr) ::dlclose(handle);
        }) {
    if (!library_) return;
    const auto init = function<int()>("nvmlInit_v2");
    started_ = init != nullptr && init() == 0;
  }
  ~Nvml() {
    if (!started_) return;
    if (const auto shutdown = function<int()>("nvmlShutdown")) shutdown();
  }
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  std::optional<std::vector<Gpu>> gpus() const {
    if (!started_) return std::nullopt;
    const auto count_of = function<int(unsigned*)>("nvmlDeviceGetCount_v2");
    const auto by_index = function<int(unsigned, Device*)>("nvmlDeviceGetHandleByIndex_v2");
    unsigned count = 0;
    if (count_of == nullptr || by_index == nullptr || count_of(&count) != 0) return std::nullopt;
    std::vector<Gpu> gpus;
    for (unsigned i = 0; i < count; ++i) {
      Device device = nullptr;
      if (by_index(i, &device) != 0) continue;  // not ours to use
      gpus.push_back({.uuid = uuid_of(device), .mig = mig_of(device)});
    }
    return gpus;
  }

 private:
  using Device = void*;
  template <typename Signature>
  Signature* function(const char* name) const {
    return reinterpret_cast<Signature*>(::dlsym(library_.get(), name));
  }
  std::string uuid_of(Device device) const {
    std::array<char, 96> text{};
    const auto get = function<int(Device, char*, unsigned)>("nvmlDeviceGetUUID");
    if (get == nullptr || get(device, text.data(), text.size()) != 0) return "";
    return text.data();
  }
  std::vector<std::string> mig_of(Device device) const {
    const auto most = function<int(Device, unsigned*)>("nvmlDeviceGetMaxMigDeviceCount");
    const auto by_index = function<int(Device, unsigned, Device*)>("nvmlDeviceGetMigDeviceHandleByIndex");
    std::vector<std::string> instances;
    unsigned count = 0;
    if (most == nullptr || by_index == nullptr || most(device, &count) != 0) return instances;
    for (unsigned i = 0; i < count; ++i) {
      Device instance = nullptr;
      if (by_index(device, i, &instance) == 0) instances.push_back(uuid_of(instance));
    }
    return instances;
  }

  std::unique_ptr<void, void (*)(void*)> library_;
  bool started_ = false;
};

std::vector<Gpu> by_device_files() {
  std::vector<Gpu> gpus;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/dev", error)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("nvidia") || name.size() == 6) continue;
    if (std::all_of(name.begin() + 6, name.end(), [](char c) { return c >= '0' && c <= '9'; })) gpus.emplace_back();
  }
  return gpus;
}

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// What identifies the device that an entry names; nothing when there is none.
std::optional<std::string> device_named(const std::string& entry, const std::vector<Gpu>& gpus) {
  unsigned index = 0;
  const auto [end, error] = std::from_chars(entry.data(), entry.data() + entry.size(), index);
  if (error == std::errc{} && end == entry.data() + entry.size()) {
    if (index >= gpus.size()) return std::nullopt;
    return "GPU " + std::to_string(index);
  }
  const bool names_known = !gpus.empty() && !gpus.front().uuid.empty();
  if (entry.starts_with("MIG-")) {
    for (const Gpu& gpu : gpus)
      for (const std::string& instance : gpu.mig)
        if (instance == entry) return entry;
    // The older form, MIG-GPU-<uuid>/<instance>/<instance>, is known by its GPU.
    for (const Gpu& gpu : gpus)
      if (!gpu.uuid.empty() && entry.starts_with("MIG-" + gpu.uuid + "/")) return entry;
    return names_known || gpus.empty() ? std::nullopt : std::optional(entry);
  }
  if (!entry.starts_with("GPU-")) return std::nullopt;
  if (!names_known) return gpus.empty() ? std::nullopt : std::optional(entry);
  std::optional<std::string> found;
  for (std::size_t i = 0; i < gpus.size(); ++i) {
    if (!gpus[i].uuid.starts_with(entry)) continue;
    if (found) return std::nullopt;  // a beginning of several
    found = "GPU " + std::to_string(i);
  }
  return found;
}

}  // namespace

std::vector<Gpu> gpus_of_host() {
  if (auto gpus = Nvml().gpus()) return *gpus;
  return by_device_files();
}

int visible_gpus(const std::vector<Gpu>& gpus, const std::optional<std::string>& cuda_visible_devices) {
  if (!cuda_visible_devices) {
    int count = 0;
    for (const Gpu& gpu : gpus) count += gpu.mig.empty() ? 1 : static_cast<int>(gpu.mig.size());
    return count;
  }
  std::set<std::string> seen;
  std::istringstream entries(*cuda_visible_devices);
  for (std::string entry; std::getline(entries, entry, ',');) {
    const auto device = device_named(trimmed(entry), gpus);
    if (!device) break;
    if (!seen.insert(*device).second) return 0;  // as in CUDA: named twice, none is visible
  }
  return static_cast<int>(seen.size());
}

}  // namespace tradewind::launcher
