#include "worker/kernels/kernels.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif

namespace tradewind::kernels {

const KernelSet& set_baseline();
#ifdef __x86_64__
const KernelSet& set_avx2();
const KernelSet& set_avx512();

namespace {
// clang's __builtin_cpu_supports does not know this one.
bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
}  // namespace
#endif

KernelSets kernel_sets() {
  KernelSets list{{&set_baseline()}, 1};
#ifdef __x86_64__
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
  if (avx2) list.sets[list.count++] = &set_avx2();
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    list.sets[list.count++] = &set_avx512();
  }
#endif
  return list;
}

const KernelSet& best() {
  static const KernelSet& found = []() -> const KernelSet& {
    const KernelSets list = kernel_sets();
    return *list.sets[list.count - 1];
  }();
  return found;
}

}  // namespace tradewind::kernels
