#define TRADEWIND_SIMD_WIDTH 16
#include "worker/nn/kernels/instruction_set.h"

TRADEWIND_KERNEL_TABLE(table_avx512, "avx512")
