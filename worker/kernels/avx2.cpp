#define TRADEWIND_SIMD_WIDTH 8
#include "worker/kernels/instruction_set.h"

TRADEWIND_KERNEL_SET(set_avx2, "avx2")
