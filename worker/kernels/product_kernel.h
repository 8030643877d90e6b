// Products of rows with a small weight that is packed once, for the instruction set of the including file: a tile of
// rows times a panel of columns stays in registers over all inputs; bias, what was there before and GELU come with it.
#pragma once

#include "worker/kernels/elementwise_kernel.h"
#include "worker/kernels/kernels.h"
#include "worker/kernels/simd.h"

namespace {

using tradewind::kernels::Product;

constexpr int tile_vectors = width == 16 ? 24 : 12;  // sums in registers; the rest is for operands
constexpr int panel_vectors = width == 16 ? 4 : 2;

// Vectors of the panel that starts at column `first`: as many as may be, a power of 2.
TRADEWIND_INLINE int panel_at(std::int64_t first, std::int64_t outputs) {
  int vectors = panel_vectors;
  while (vectors > 1 && first + (vectors - 1) * width >= outputs) vectors /= 2;
  return vectors;
}

std::size_t packed_weight_size(std::int64_t inputs, std::int64_t outputs) {
  return static_cast<std::size_t>(inputs * ((outputs + width - 1) / width * width));
}

// Panel after panel; of each, input after input, its columns side by side.
void pack_weight(const float* weight, std::int64_t stride, std::int64_t inputs, std::int64_t outputs, float* packed) {
  for (std::int64_t first = 0; first < outputs;) {
    const std::int64_t columns = std::int64_t{panel_at(first, outputs)} * width;
    for (std::int64_t k = 0; k < inputs; ++k) {
      for (std::int64_t c = first; c < first + columns; ++c) *packed++ = c < outputs ? weight[c * stride + k] : 0.0F;
    }
    first += columns;
  }
}

// A vector at p of which only `count` lanes exist.
TRADEWIND_INLINE Vec load_some(const float* p, std::int64_t count) {
  if (count >= width) return load(p);
  Vec v{};
  for (std::int64_t i = 0; i < count; ++i) v[i] = p[i];
  return v;
}
TRADEWIND_INLINE void store_some(float* p, Vec v, std::int64_t count) {
  if (count >= width) {
    store(p, v);
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) p[i] = v[i];
}

template <int rows, int vectors>
TRADEWIND_INLINE void product_tile(const Product& p, std::int64_t row, std::int64_t first) {
  const float* x = p.x + row * p.inputs;
  const float* weight = p.weight + first * p.inputs;
  float* out = p.out + row * p.outputs + first;
  const std::int64_t columns = p.outputs - first;
  Vec sums[rows][vectors];
  for (int v = 0; v < vectors; ++v) {
    const Vec bias = p.bias ? load_some(p.bias + first + v * width, columns - v * width) : Vec{};
    for (int r = 0; r < rows; ++r) sums[r][v] = bias;
  }
  for (std::int64_t k = 0; k < p.inputs; ++k, weight += vectors * width) {
    Vec w[vectors];
    for (int v = 0; v < vectors; ++v) w[v] = load(weight + v * width);
    for (int r = 0; r < rows; ++r) {
      for (int v = 0; v < vectors; ++v) sums[r][v] += x[r * p.inputs + k] * w[v];
    }
  }
  for (int r = 0; r < rows; ++r, out += p.outputs) {
    for (int v = 0; v < vectors; ++v) {
      const std::int64_t count = columns - v * width;
      const Vec before = p.add ? load_some(out + v * width, count) : Vec{};
      store_some(out + v * width, before + sums[r][v], count);
    }
    if (p.gelu) gelu(out, columns < vectors * width ? columns : vectors * width);
  }
}

template <int vectors>
void product_panel(const Product& p, std::int64_t first, std::int64_t begin, std::int64_t end) {
  constexpr int rows = tile_vectors / (vectors + (vectors == 1 ? 1 : 0));
  std::int64_t row = begin;
  for (; row + rows <= end; row += rows) product_tile<rows, vectors>(p, row, first);
  for (; row + 3 <= end; row += 3) product_tile<3, vectors>(p, row, first);
  for (; row < end; ++row) product_tile<1, vectors>(p, row, first);
}

void product(const Product& p) {
  constexpr std::int64_t block = 96;  // rows that stay in the cache while panels change
  for (std::int64_t begin = 0; begin < p.rows; begin += block) {
    const std::int64_t end = begin + block < p.rows ? begin + block : p.rows;
    for (std::int64_t first = 0; first < p.outputs;) {
      const int vectors = panel_at(first, p.outputs);
      if (vectors == 4) {
        product_panel<4>(p, first, begin, end);
      } else if (vectors == 2) {
        product_panel<2>(p, first, begin, end);
      } else {
        product_panel<1>(p, first, begin, end);
      }
      first += std::int64_t{vectors} * width;
    }
  }
}

}  // namespace
