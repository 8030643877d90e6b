#include "worker/nn/kernels/kernels.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif

namespace tradewind::nn::kernels {

const Table& table_baseline();
#ifdef __x86_64__
const Table& table_avx2();
const Table& table_avx512();

namespace {
// clang's __builtin_cpu_supports does not know this one.
bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
}  // namespace
#endif

TableList tables() {
  TableList list{{&table_baseline()}, 1};
#ifdef __x86_64__
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
  if (avx2) list.tables[list.count++] = &table_avx2();
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    list.tables[list.count++] = &table_avx512();
  }
#endif
  return list;
}

const Table& table() {
  static const Table& best = []() -> const Table& {
    const TableList list = tables();
    return *list.tables[list.count - 1];
  }();
  return best;
}

}  // namespace tradewind::nn::kernels
