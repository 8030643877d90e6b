#include "worker/libtorch_check.h"

#include <dlfcn.h>
#include <torch/headeronly/version.h>

#include "common/errors.h"

namespace tradewind::worker {
namespace {

constexpr std::uint64_t tag_bits = 40;  // below major, minor and patch: builds of one version

}  // namespace

std::string libtorch_version(std::uint64_t abi_version) {
  if (abi_version == 0) return "unknown";
  constexpr std::uint64_t byte = 0xFF;
  return std::to_string(abi_version >> 56U) + "." + std::to_string((abi_version >> 48U) & byte) + "." +
         std::to_string((abi_version >> tag_bits) & byte);
}

void check_libtorch() {
  using Version = std::uint64_t();
  void* const symbol = ::dlsym(RTLD_DEFAULT, "aoti_torch_abi_version");
  const std::uint64_t found = symbol != nullptr ? reinterpret_cast<Version*>(symbol)() : 0;
  constexpr std::uint64_t built_for = TORCH_ABI_VERSION;
  if (found >> tag_bits == built_for >> tag_bits) return;
  Dl_info library{};
  const bool known = symbol != nullptr && ::dladdr(symbol, &library) != 0 && library.dli_fname != nullptr;
  throw EnvironmentFault("LibTorch " + libtorch_version(found) +
                             " was found, but this program was built for LibTorch " + libtorch_version(built_for),
                         known ? library.dli_fname : "libtorch_cpu.so",
                         "install Tradewind anew, or build it with that LibTorch (-DTorch_ROOT=...); see that "
                         "LD_LIBRARY_PATH and LD_PRELOAD name no other");
}

}  // namespace tradewind::worker
