// The code for the widest vectors, on any machine: the compiler splits them.
#define TRADEWIND_SIMD_WIDTH 16
#include "worker/kernels/instruction_set.h"

TRADEWIND_KERNEL_SET(set_wide, "wide")
