// Defines the table of kernels of the instruction set that the including file is compiled for.
#pragma once

#include "worker/nn/kernels/elementwise_kernel.h"
#include "worker/nn/kernels/graph_attention_kernel.h"
#include "worker/nn/kernels/product_kernel.h"
#include "worker/nn/kernels/rows_kernel.h"
#include "worker/nn/kernels/window_attention_kernel.h"

#define TRADEWIND_KERNEL_TABLE(function, name)           \
  namespace tradewind::nn::kernels {                     \
  const Table& function() {                              \
    static constexpr Table table = {name,                \
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
                                    segment_sum};        \
    return table;                                        \
  }                                                      \
  }
