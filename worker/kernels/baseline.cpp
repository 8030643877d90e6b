#define TRADEWIND_SIMD_WIDTH 4
#include "worker/kernels/instruction_set.h"

TRADEWIND_KERNEL_SET(set_baseline, "baseline")
