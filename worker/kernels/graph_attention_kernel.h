// Fused graph attention over CSR edges, for the instruction set of the including file.
#pragma once

#include "worker/kernels/kernels.h"
#include "worker/kernels/narrow_heads_kernel.h"
#include "worker/kernels/simd.h"

namespace {

using tradewind::kernels::Element;
using tradewind::kernels::GraphAttention;

constexpr std::int64_t edge_block = 32;  // edges between two updates of the running softmax

TRADEWIND_INLINE std::int64_t padded_heads(std::int64_t heads) { return (heads + width - 1) / width * width; }

// Scratch of one call: floats in this order.
struct GraphScratch {
  float* edge_query;  // (heads, attribute_size): scale * W^T q
  float* edge_sum;    // (heads, attribute_size): sum p a
  float* scores;      // (edge_block, padded heads)
  float* top;         // (padded heads): running maximum
  float* total;       // (padded heads): running sum of p
  float* factor;      // (padded heads)

  GraphScratch(const GraphAttention& a, float* scratch) {
    const std::int64_t heads = padded_heads(a.heads);
    edge_query = scratch;
    edge_sum = edge_query + a.heads * a.attribute_size;
    scores = edge_sum + a.heads * a.attribute_size;
    top = scores + edge_block * heads;
    total = top + heads;
    factor = total + heads;
  }
  static std::size_t size(const GraphAttention& a) {
    if (NarrowHeads<float, 8>::fits(a)) return NarrowHeads<float, 8>::scratch(a);
    if (NarrowHeads<float, 4>::fits(a)) return NarrowHeads<float, 4>::scratch(a);
    return static_cast<std::size_t>(2 * a.heads * a.attribute_size + (edge_block + 3) * padded_heads(a.heads));
  }
};

template <typename T>
TRADEWIND_INLINE float dot(const float* a, const T* b, std::int64_t size) {
  Vec first{}, second{};
  std::int64_t c = 0;
  for (; c + 2 * width <= size; c += 2 * width) {
    first += load(a + c) * load(b + c);
    second += load(a + c + width) * load(b + c + width);
  }
  for (; c + width <= size; c += width) first += load(a + c) * load(b + c);
  float total = sum(first + second);
  for (; c < size; ++c) total += a[c] * scalar(b[c]);
  return total;
}

// out += factor * x
template <typename T>
TRADEWIND_INLINE void accumulate(float* out, float factor, const T* x, std::int64_t size) {
  std::int64_t c = 0;
  const Vec f = splat(factor);
  for (; c + width <= size; c += width) store(out + c, load(out + c) + f * load(x + c));
  for (; c < size; ++c) out[c] += factor * scalar(x[c]);
}

TRADEWIND_INLINE void multiply(float* out, float factor, std::int64_t size) {
  std::int64_t c = 0;
  for (; c + width <= size; c += width) store(out + c, load(out + c) * factor);
  for (; c < size; ++c) out[c] *= factor;
}

TRADEWIND_INLINE void project_query(const GraphAttention& a, const float* query, float* edge_query) {
  for (std::int64_t head = 0; head < a.heads; ++head) {
    for (std::int64_t t = 0; t < a.attribute_size; t += 8) {
      Vec8 even{}, odd{};
      const float* w = a.weight + head * a.head_size * a.attribute_size + t;
      std::int64_t c = 0;
      for (; c + 2 <= a.head_size; c += 2, w += 2 * a.attribute_size) {
        even += query[head * a.head_size + c] * load8(w);
        odd += query[head * a.head_size + c + 1] * load8(w + a.attribute_size);
      }
      if (c < a.head_size) even += query[head * a.head_size + c] * load8(w);
      store8(edge_query + head * a.attribute_size + t, (even + odd) * a.scale);
    }
  }
}

// Scores of edges [begin, end) into scratch.scores.
template <typename T>
TRADEWIND_INLINE void score_edges(const GraphAttention& a, const GraphScratch& s, const float* query,
                                  std::int64_t begin, std::int64_t end) {
  const std::int64_t channels = a.heads * a.head_size, heads = padded_heads(a.heads);
  for (std::int64_t edge = begin; edge < end; ++edge) {
    const T* key = static_cast<const T*>(a.key) + a.source[edge] * channels;
    const float* attributes = a.attributes + edge * a.attribute_size;
    float* scores = s.scores + (edge - begin) * heads;
    for (std::int64_t head = 0; head < a.heads; ++head) {
      Vec8 edge_part{};
      for (std::int64_t t = 0; t < a.attribute_size; t += 8) {
        edge_part += load8(s.edge_query + head * a.attribute_size + t) * load8(attributes + t);
      }
      scores[head] = a.scale * dot(query + head * a.head_size, key + head * a.head_size, a.head_size) + sum8(edge_part);
    }
  }
}

// One block of the running softmax: scores become p = exp(score - top); what was summed before is scaled down.
TRADEWIND_INLINE void weigh_block(const GraphAttention& a, const GraphScratch& s, std::int64_t edges, bool first,
                                  float* out) {
  const std::int64_t heads = padded_heads(a.heads);
  for (std::int64_t h = 0; h < heads; h += width) {
    const Vec before = load(s.top + h);
    Vec top = before;
    for (std::int64_t e = 0; e < edges; ++e) top = max(top, load(s.scores + e * heads + h));
    const Vec factor = exponential(before - top);
    Vec total = load(s.total + h) * factor;
    for (std::int64_t e = 0; e < edges; ++e) {
      const Vec p = exponential(load(s.scores + e * heads + h) - top);
      store(s.scores + e * heads + h, p);
      total += p;
    }
    store(s.top + h, top);
    store(s.total + h, total);
    store(s.factor + h, factor);
  }
  if (first) return;
  for (std::int64_t head = 0; head < a.heads; ++head) {
    multiply(out + head * a.head_size, s.factor[head], a.head_size);
    multiply(s.edge_sum + head * a.attribute_size, s.factor[head], a.attribute_size);
  }
}

template <typename T>
TRADEWIND_INLINE void sum_values(const GraphAttention& a, const GraphScratch& s, std::int64_t begin, std::int64_t end,
                                 float* out) {
  const std::int64_t channels = a.heads * a.head_size, heads = padded_heads(a.heads);
  for (std::int64_t edge = begin; edge < end; ++edge) {
    const T* value = static_cast<const T*>(a.value) + a.source[edge] * channels;
    const float* attributes = a.attributes + edge * a.attribute_size;
    const float* p = s.scores + (edge - begin) * heads;
    for (std::int64_t head = 0; head < a.heads; ++head) {
      accumulate(out + head * a.head_size, p[head], value + head * a.head_size, a.head_size);
      float* sums = s.edge_sum + head * a.attribute_size;
      for (std::int64_t t = 0; t < a.attribute_size; t += 8) {
        store8(sums + t, load8(sums + t) + p[head] * load8(attributes + t));
      }
    }
  }
}

// out = (out + W sums) / total + b
TRADEWIND_INLINE void finish_row(const GraphAttention& a, const GraphScratch& s, float* out) {
  const std::int64_t channels = a.heads * a.head_size;
  for (std::int64_t head = 0; head < a.heads; ++head) {
    const float inverse = 1.0F / s.total[head];
    const float* sums = s.edge_sum + head * a.attribute_size;
    const std::int64_t first = head * a.head_size;
    std::int64_t c = 0;
    for (; c + width <= a.head_size; c += width) {
      Vec total = load(out + first + c);
      for (std::int64_t t = 0; t < a.attribute_size; ++t)
        total += sums[t] * load(a.weight_t + t * channels + first + c);
      total *= inverse;
      if (a.bias) total += load(a.bias + first + c);
      store(out + first + c, total);
    }
    for (; c < a.head_size; ++c) {
      float total = out[first + c];
      for (std::int64_t t = 0; t < a.attribute_size; ++t) total += sums[t] * a.weight_t[t * channels + first + c];
      out[first + c] = total * inverse + (a.bias ? a.bias[first + c] : 0.0F);
    }
  }
}

template <typename T>
void graph_attention_rows(const GraphAttention& a, std::int64_t begin, std::int64_t end, float* scratch) {
  if (NarrowHeads<T, 8>::fits(a)) return NarrowHeads<T, 8>(a, scratch).rows(begin, end);
  if (NarrowHeads<T, 4>::fits(a)) return NarrowHeads<T, 4>(a, scratch).rows(begin, end);
  const GraphScratch s(a, scratch);
  const std::int64_t channels = a.heads * a.head_size, heads = padded_heads(a.heads);
  for (std::int64_t i = 0; i < edge_block * heads; ++i) s.scores[i] = 0;
  for (std::int64_t row = begin; row < end; ++row) {
    const float* query = a.query + row * channels;
    float* out = a.out + row * channels;
    const std::int64_t first = a.first_edge[row], last = a.first_edge[row + 1];
    if (first == last) {
      for (std::int64_t c = 0; c < channels; ++c) out[c] = 0;
      continue;
    }
    project_query(a, query, s.edge_query);
    for (std::int64_t h = 0; h < heads; ++h) {
      s.top[h] = -3.0e38F;
      s.total[h] = 0;
    }
    for (std::int64_t t = 0; t < a.heads * a.attribute_size; ++t) s.edge_sum[t] = 0;
    for (std::int64_t edge = first; edge < last; edge += edge_block) {
      const std::int64_t stop = edge + edge_block < last ? edge + edge_block : last;
      score_edges<T>(a, s, query, edge, stop);
      if (edge == first) {
        for (std::int64_t c = 0; c < channels; ++c) out[c] = 0;
      }
      weigh_block(a, s, stop - edge, edge == first, out);
      sum_values<T>(a, s, edge, stop, out);
    }
    finish_row(a, s, out);
  }
}

void graph_attention(const GraphAttention& a, std::int64_t begin, std::int64_t end, float* scratch) {
  switch (a.element) {
    case Element::f32:
      return graph_attention_rows<float>(a, begin, end, scratch);
    case Element::bf16:
      return graph_attention_rows<Bf16>(a, begin, end, scratch);
    case Element::f16:
      return graph_attention_rows<F16>(a, begin, end, scratch);
  }
}

}  // namespace
