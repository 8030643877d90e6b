#define TRADEWIND_SIMD_WIDTH 4
#include "worker/nn/kernels/instruction_set.h"

TRADEWIND_KERNEL_TABLE(table_baseline, "baseline")
