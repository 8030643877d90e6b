#define TRADEWIND_SIMD_WIDTH 16
#include "worker/kernels/instruction_set.h"

TRADEWIND_KERNEL_SET(set_avx512, "avx512")
