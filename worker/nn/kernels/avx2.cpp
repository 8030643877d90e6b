#define TRADEWIND_SIMD_WIDTH 8
#include "worker/nn/kernels/instruction_set.h"

TRADEWIND_KERNEL_TABLE(table_avx2, "avx2")
