// Sliding-window attention by blocks of queries, for the instruction set of the including file. A block's scores
// against a tile of keys are one small matrix product, restricted per group of queries to the keys some of them see: no
// mask is ever made. Softmax runs over tiles, so the scratch does not grow with the number of keys.
//
// Packed keys: per head, panels of `panel` keys, each (head_size, panel), so that a vector holds one channel of
// neighbouring keys. Packed values: per head (rows, head_size padded to a multiple of `width`).
#pragma once

#include "worker/kernels/kernels.h"
#include "worker/kernels/simd.h"

namespace {

using tradewind::kernels::query_block;
using tradewind::kernels::WindowAttention;

constexpr int group = 6;                         // queries whose sums are held in registers together
constexpr int vectors = width == 16 ? 4 : 2;     // by this many vectors of keys or channels
constexpr std::int64_t panel = vectors * width;  // keys of a panel
constexpr std::int64_t tile_limit = 1152;        // keys of a tile; a multiple of every panel
static_assert(query_block % group == 0 && tile_limit % panel == 0);

TRADEWIND_INLINE std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }
TRADEWIND_INLINE std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
TRADEWIND_INLINE std::int64_t larger(std::int64_t a, std::int64_t b) { return a > b ? a : b; }

// s(group, panel) = q(group, head_size) . keys(head_size, panel)
TRADEWIND_INLINE void score_panel(const float* q, const float* keys, std::int64_t head_size, float* s,
                                  std::int64_t stride) {
  Vec total[group][vectors] = {};
  for (std::int64_t c = 0; c < head_size; ++c) {
    Vec k[vectors];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) k[v] = load(keys + c * panel + v * width);
#pragma GCC unroll 8
    for (int r = 0; r < group; ++r) {
      const Vec value = splat(q[r * head_size + c]);
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) total[r][v] += value * k[v];
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < group; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) store(s + r * stride + v * width, total[r][v]);
  }
}

// o(group, count * width) += p(group, keys) . values(keys, count * width)
template <int count>
TRADEWIND_INLINE void sum_panel(const float* p, std::int64_t p_stride, const float* values, std::int64_t value_stride,
                                std::int64_t keys, float* o, std::int64_t o_stride) {
  Vec total[group][count];
#pragma GCC unroll 8
  for (int r = 0; r < group; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < count; ++v) total[r][v] = load(o + r * o_stride + v * width);
  }
  for (std::int64_t j = 0; j < keys; ++j) {
    Vec x[count];
#pragma GCC unroll 8
    for (int v = 0; v < count; ++v) x[v] = load(values + j * value_stride + v * width);
#pragma GCC unroll 8
    for (int r = 0; r < group; ++r) {
      const Vec weight = splat(p[r * p_stride + j]);
#pragma GCC unroll 8
      for (int v = 0; v < count; ++v) total[r][v] += weight * x[v];
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < group; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < count; ++v) store(o + r * o_stride + v * width, total[r][v]);
  }
}

// Softcap and ALiBi on scores of keys [0, count), the first of which lies `offset` after the query. Scaled scores.
TRADEWIND_INLINE void shape_scores(const WindowAttention& a, float* s, std::int64_t count, std::int64_t offset,
                                   float slope) {
  Vec lanes{};
  for (int i = 0; i < width; ++i) lanes[i] = static_cast<float>(i);
  for (std::int64_t j = 0; j < count; j += width) {  // rows of s are padded: a whole vector can always be written
    Vec score = load(s + j);
    if (a.softcap > 0) score = a.softcap * hyperbolic_tangent(score / a.softcap);
    if (a.slopes) {
      const Vec distance = lanes + static_cast<float>(offset + j);
      score -= slope * (distance < 0.0F ? -distance : distance);
    }
    store(s + j, score);
  }
}

TRADEWIND_INLINE float row_maximum(const float* s, std::int64_t count) {
  Vec top = splat(-3.0e38F);
  std::int64_t j = 0;
  for (; j + width <= count; j += width) top = max(top, load(s + j));
  float most = largest(top);
  for (; j < count; ++j) most = max(most, s[j]);
  return most;
}

// s = exp(s - top); returns the sum.
TRADEWIND_INLINE float row_exponential(float* s, std::int64_t count, float top) {
  Vec total{};
  std::int64_t j = 0;
  for (; j + width <= count; j += width) {
    const Vec p = exponential(load(s + j) - top);
    store(s + j, p);
    total += p;
  }
  float rest = sum(total);
  for (; j < count; ++j) {
    s[j] = exponential(s[j] - top);
    rest += s[j];
  }
  return rest;
}

struct KeyRange {
  std::int64_t begin, end;
};
// Keys seen by a query at `position`, within [begin, end).
TRADEWIND_INLINE KeyRange seen(const WindowAttention& a, std::int64_t position, std::int64_t begin, std::int64_t end) {
  if (a.window < 0) return {begin, end};
  return {smaller(larger(begin, position - a.window), end), larger(smaller(end, position + a.window + 1), begin)};
}

struct WindowScratch {
  std::int64_t stride, padded;
  float *query, *scores, *out, *top, *total;
  WindowScratch(const WindowAttention& a, float* scratch)
      : stride(tile_limit + width), padded(round_up(a.head_size, width)) {
    query = scratch;
    scores = query + query_block * a.head_size;
    out = scores + query_block * stride;
    top = out + query_block * padded;
    total = top + query_block;
  }
  static std::size_t size(const WindowAttention& a) {
    return static_cast<std::size_t>(query_block *
                                    (a.head_size + tile_limit + width + round_up(a.head_size, width) + 2));
  }
};

// Scores, softmax and sums of `group` queries from row `row` of the block, against the tile of keys [begin, end).
TRADEWIND_INLINE void attend_group(const WindowAttention& a, const WindowScratch& w, std::int64_t head,
                                   std::int64_t row, std::int64_t rows, std::int64_t position, std::int64_t begin,
                                   std::int64_t end) {
  const KeyRange first = seen(a, position, begin, end), last = seen(a, position + rows - 1, begin, end);
  const std::int64_t low = smaller(first.begin, last.begin), high = larger(first.end, last.end);
  if (low >= high) return;
  const float* panels = a.keys + head * round_up(a.keys_count, panel) * a.head_size;
  float* s = w.scores + row * w.stride;  // column 0 is key `begin`, which starts a panel
  const float* q = w.query + row * a.head_size;
  for (std::int64_t j = begin + (low - begin) / panel * panel; j < high; j += panel) {
    score_panel(q, panels + j * a.head_size, a.head_size, s + (j - begin), w.stride);
  }
  const bool shaped = a.softcap > 0 || a.slopes;
  for (std::int64_t r = 0; r < group; ++r) {
    float* p = s + r * w.stride - begin;  // p[j]: key j
    const KeyRange mine = r < rows ? seen(a, position + r, begin, end) : KeyRange{low, low};
    if (mine.begin >= mine.end) {
      for (std::int64_t j = low; j < high; ++j) p[j] = 0;
      continue;
    }
    const std::int64_t count = mine.end - mine.begin;
    if (shaped) {
      shape_scores(a, p + mine.begin, count, mine.begin - (position + r), a.slopes ? a.slopes[head] : 0.0F);
    }
    const float before = w.top[row + r], top = max(before, row_maximum(p + mine.begin, count));
    const float total = row_exponential(p + mine.begin, count, top);
    for (std::int64_t j = low; j < mine.begin; ++j) p[j] = 0;
    for (std::int64_t j = mine.end; j < high; ++j) p[j] = 0;
    const float factor = exponential(before - top);
    w.total[row + r] = w.total[row + r] * factor + total;
    w.top[row + r] = top;
    float* o = w.out + (row + r) * w.padded;
    for (std::int64_t c = 0; c < w.padded; c += width) store(o + c, load(o + c) * factor);
  }
  const float* values = a.values + (head * a.keys_count + low) * w.padded;
  std::int64_t c = 0;
  for (; c + panel <= w.padded; c += panel) {
    sum_panel<vectors>(s + (low - begin), w.stride, values + c, w.padded, high - low, w.out + row * w.padded + c,
                       w.padded);
  }
  for (; c + 2 * width <= w.padded; c += 2 * width) {
    sum_panel<2>(s + (low - begin), w.stride, values + c, w.padded, high - low, w.out + row * w.padded + c, w.padded);
  }
  for (; c < w.padded; c += width) {
    sum_panel<1>(s + (low - begin), w.stride, values + c, w.padded, high - low, w.out + row * w.padded + c, w.padded);
  }
}

void window_attention(const WindowAttention& a, std::int64_t head, std::int64_t block, float* scratch) {
  const WindowScratch w(a, scratch);
  const std::int64_t channels = a.heads * a.head_size, first = block * query_block;
  const std::int64_t rows = smaller(query_block, a.queries - first), position = a.query_position + first;
  const float* query = a.query + first * channels + head * a.head_size;
  for (std::int64_t r = 0; r < query_block; ++r) {
    for (std::int64_t c = 0; c < a.head_size; ++c) {
      w.query[r * a.head_size + c] = r < rows ? a.scale * query[r * channels + c] : 0.0F;
    }
    for (std::int64_t c = 0; c < w.padded; ++c) w.out[r * w.padded + c] = 0;
    w.top[r] = -3.0e38F;
    w.total[r] = 0;
  }
  const KeyRange low = seen(a, position, 0, a.keys_count), high = seen(a, position + rows - 1, 0, a.keys_count);
  const std::int64_t begin = low.begin / panel * panel, end = high.end;
  const std::int64_t tiles = larger(1, (end - begin + tile_limit - 1) / tile_limit);
  const std::int64_t tile = round_up((end - begin + tiles - 1) / tiles, panel);
  for (std::int64_t j = begin; j < end; j += tile) {
    for (std::int64_t r = 0; r < rows; r += group) {
      attend_group(a, w, head, r, smaller(group, rows - r), position + r, j, smaller(j + tile, end));
    }
  }
  float* out = a.out + first * channels + head * a.head_size;
  for (std::int64_t r = 0; r < rows; ++r) {
    const float inverse = w.total[r] > 0 ? 1.0F / w.total[r] : 0.0F;
    for (std::int64_t c = 0; c < a.head_size; ++c) out[r * channels + c] = w.out[r * w.padded + c] * inverse;
  }
}

std::size_t packed_keys_size(std::int64_t rows, std::int64_t heads, std::int64_t head_size) {
  return static_cast<std::size_t>(heads * round_up(rows, panel) * head_size);
}
std::size_t packed_values_size(std::int64_t rows, std::int64_t heads, std::int64_t head_size) {
  return static_cast<std::size_t>(heads * rows * round_up(head_size, width));
}

void pack(const float* key, const float* value, float* keys, float* values, std::int64_t rows, std::int64_t first,
          std::int64_t count, std::int64_t head, std::int64_t heads, std::int64_t head_size) {
  const std::int64_t channels = heads * head_size, padded = round_up(head_size, width);
  float* panels = keys + head * round_up(rows, panel) * head_size;
  for (std::int64_t row = 0; row < count; ++row) {
    const std::int64_t at = first + row;
    const float* from = key + row * channels + head * head_size;
    float* to = panels + at / panel * panel * head_size + at % panel;
    for (std::int64_t c = 0; c < head_size; ++c) to[c * panel] = from[c];
    const float* source = value + row * channels + head * head_size;
    float* target = values + (head * rows + at) * padded;
    for (std::int64_t c = 0; c < head_size; ++c) target[c] = source[c];
  }
}

}  // namespace
