// Defines the set of kernels of the instruction set that the including file is compiled for.
#pragma once

#include "worker/kernels/elementwise_kernel.h"
#include "worker/kernels/graph_attention_kernel.h"
#include "worker/kernels/product_kernel.h"
#include "worker/kernels/rows_kernel.h"
#include "worker/kernels/window_attention_kernel.h"

#define TRADEWIND_KERNEL_SET(function, name)               \
  namespace tradewind::kernels {                           \
  const KernelSet& function() {                            \
    static constexpr KernelSet set = {name,                \
                                      graph_attention,     \
                                      GraphScratch::size,  \
                                      window_attention,    \
                                      WindowScratch::size, \
                                      packed_keys_size,    \
                                      packed_values_size,  \
                                      pack,                \
                                      product,             \
                                      packed_weight_size,  \
                                      pack_weight,         \
                                      layer_norm,          \
                                      gelu,                \
                                      gather,              \
                                      scaled_rows,         \
                                      gathered_sum,        \
                                      segment_sum,         \
                                      weighted_sum};       \
    return set;                                            \
  }                                                        \
  }
