// Rows of a table picked by number, and sums over runs of rows, for the instruction set of the including file.
#pragma once

#include "worker/nn/kernels/simd.h"

namespace {

void gather(const float* table, const std::int64_t* index, std::int64_t rows, std::int64_t columns, float* out) {
  for (std::int64_t row = 0; row < rows; ++row, out += columns) {
    const float* from = table + index[row] * columns;
    std::int64_t c = 0;
    for (; c + width <= columns; c += width) store(out + c, load(from + c));
    for (; c < columns; ++c) out[c] = from[c];
  }
}

TRADEWIND_INLINE void add_row(float* out, const float* x, std::int64_t columns) {
  std::int64_t c = 0;
  for (; c + width <= columns; c += width) store(out + c, load(out + c) + load(x + c));
  for (; c < columns; ++c) out[c] += x[c];
}

void gather_add(const float* table, const std::int32_t* index, std::int64_t rows, std::int64_t columns, float* out) {
  for (std::int64_t row = 0; row < rows; ++row, out += columns) add_row(out, table + index[row] * columns, columns);
}

void segment_sum(const float* x, const std::int64_t* first, std::int64_t segments, std::int64_t columns, float* out) {
  for (std::int64_t segment = 0; segment < segments; ++segment, out += columns) {
    for (std::int64_t c = 0; c < columns; ++c) out[c] = 0;
    for (std::int64_t row = first[segment]; row < first[segment + 1]; ++row) {
      add_row(out, x + (row - first[0]) * columns, columns);
    }
  }
}

}  // namespace
