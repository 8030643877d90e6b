// Rows of a table picked by number, and sums over runs of rows, for the instruction set of the including file.
#pragma once

#include "worker/kernels/elementwise_kernel.h"
#include "worker/kernels/kernels.h"
#include "worker/kernels/simd.h"

namespace {

using tradewind::kernels::GatheredSum;
using tradewind::kernels::ScaledRows;
using tradewind::kernels::WeightedRows;

void gather(const float* table, const std::int64_t* index, std::int64_t rows, std::int64_t columns, float* out) {
  for (std::int64_t row = 0; row < rows; ++row, out += columns) {
    const float* from = table + index[row] * columns;
    std::int64_t c = 0;
    for (; c + width <= columns; c += width) store(out + c, load(from + c));
    for (; c < columns; ++c) out[c] = from[c];
  }
}

template <bool scaled>
TRADEWIND_INLINE void scale_each(const ScaledRows& s) {
  for (std::int64_t row = 0; row < s.rows; ++row) {
    const float* from = s.table + (s.index ? s.index[row] : row) * s.columns;
    float* out = s.out + row * s.out_stride;
    const auto put = [&](std::int64_t c) {
      store(out + c, scaled ? load(from + c) * load(s.multiply + c) + load(s.add + c) : load(from + c));
    };
    std::int64_t c = 0;
    for (; c + width <= s.columns; c += width) put(c);
    if (c < s.columns && s.columns >= width) {  // the last vector overlaps the one before
      put(s.columns - width);
      continue;
    }
    for (; c < s.columns; ++c) out[c] = scaled ? from[c] * s.multiply[c] + s.add[c] : from[c];
  }
}

void scaled_rows(const ScaledRows& s) { s.multiply ? scale_each<true>(s) : scale_each<false>(s); }

TRADEWIND_INLINE void add_row(float* out, const float* x, std::int64_t columns) {
  std::int64_t c = 0;
  for (; c + width <= columns; c += width) store(out + c, load(out + c) + load(x + c));
  for (; c < columns; ++c) out[c] += x[c];
}

template <bool two, bool with_gelu>
TRADEWIND_INLINE void gathered_rows(const GatheredSum& s) {
  for (std::int64_t row = 0; row < s.rows; ++row) {
    const float* start = s.start + row * s.columns;
    const float* first = s.table + s.index[row] * s.columns;
    const float* second = two ? s.other + s.other_index[row] * s.columns : nullptr;
    float* out = s.out + row * s.columns;
    std::int64_t c = 0;
    for (; c + width <= s.columns; c += width) {
      Vec sum = load(start + c) + load(first + c);
      if (two) sum += load(second + c);
      store(out + c, with_gelu ? gelu(sum) : sum);
    }
    for (; c < s.columns; ++c) {
      const float sum = start[c] + first[c] + (two ? second[c] : 0.0F);
      out[c] = with_gelu ? gelu(splat(sum))[0] : sum;
    }
  }
}

void gathered_sum(const GatheredSum& s) {
  if (s.gelu) {
    s.other ? gathered_rows<true, true>(s) : gathered_rows<false, true>(s);
  } else {
    s.other ? gathered_rows<true, false>(s) : gathered_rows<false, false>(s);
  }
}

void segment_sum(const float* x, const std::int64_t* first, std::int64_t segments, std::int64_t columns, float* out) {
  for (std::int64_t segment = 0; segment < segments; ++segment, out += columns) {
    for (std::int64_t c = 0; c < columns; ++c) out[c] = 0;
    for (std::int64_t row = first[segment]; row < first[segment + 1]; ++row) {
      add_row(out, x + (row - first[0]) * columns, columns);
    }
  }
}

TRADEWIND_INLINE void add_scaled_row(float* out, const float* x, float weight, std::int64_t columns) {
  std::int64_t c = 0;
  for (; c + width <= columns; c += width) store(out + c, load(out + c) + splat(weight) * load(x + c));
  for (; c < columns; ++c) out[c] += weight * x[c];
}

void weighted_sum(const WeightedRows& s) {
  for (std::int64_t row = 0; row < s.rows; ++row) {
    float* out = s.out + row * s.columns;
    for (std::int64_t c = 0; c < s.columns; ++c) out[c] = 0;
    for (std::int64_t e = s.first[row] - s.first[0]; e < s.first[row + 1] - s.first[0]; ++e) {
      const std::int64_t index = s.index[e];
      const float* x = index < s.own_rows ? s.own + index * s.columns : s.other + (index - s.own_rows) * s.columns;
      add_scaled_row(out, x, s.weight[e], s.columns);
    }
  }
}

}  // namespace
