// Graph attention for heads of 4 or 8 channels, several of which fill a vector: every channel carries the score of its
// head, so that a vector of channels is one of scores too and nothing is ever summed by single lanes. For the
// instruction set of the including file. Attributes are taken `size` (the channels of a head) at a time: a slice.
#pragma once

#include "worker/kernels/kernels.h"
#include "worker/kernels/simd.h"

namespace {

using tradewind::kernels::GraphAttention;

template <typename T, int size>
class NarrowHeads {
 public:
  static bool fits(const GraphAttention& a) {
    return size < width && a.head_size == size && a.heads * a.head_size % width == 0;
  }
  static std::size_t scratch(const GraphAttention& a) {
    const std::int64_t channels = a.heads * a.head_size;
    return static_cast<std::size_t>((a.attribute_size + 2 * (a.attribute_size / size) + edge_block + 4) * channels);
  }

  NarrowHeads(const GraphAttention& a, float* scratch)
      : a_(a), channels_(a.heads * a.head_size), slices_(a.attribute_size / size) {
    weight_ = scratch;
    edge_query_ = weight_ + a.attribute_size * channels_;
    edge_sum_ = edge_query_ + slices_ * channels_;
    query_ = edge_sum_ + slices_ * channels_;
    scores_ = query_ + channels_;
    top_ = scores_ + edge_block * channels_;
    total_ = top_ + channels_;
    factor_ = total_ + channels_;
    for (std::int64_t slice = 0; slice < slices_; ++slice) {
      for (std::int64_t c = 0; c < size; ++c) {
        float* row = weight_ + (slice * size + c) * channels_;
        for (std::int64_t i = 0; i < channels_; ++i) {
          row[i] = a.weight[(i / size * size + c) * a.attribute_size + slice * size + i % size];
        }
      }
    }
  }

  void rows(std::int64_t begin, std::int64_t end) const {
    for (std::int64_t row = begin; row < end; ++row) {
      float* out = a_.out + row * channels_;
      const std::int64_t first = a_.first_edge[row], last = a_.first_edge[row + 1];
      if (first == last) {
        for (std::int64_t c = 0; c < channels_; ++c) out[c] = 0;
        continue;
      }
      project_query(a_.query + row * channels_);
      for (std::int64_t edge = first; edge < last; edge += edge_block) {
        const std::int64_t stop = edge + edge_block < last ? edge + edge_block : last;
        score(edge, stop);
        weigh(stop - edge, edge == first, out);
        sum_values(edge, stop, out);
      }
      finish(out);
    }
  }

 private:
  static constexpr std::int64_t edge_block = 32;  // edges between two updates of the running softmax
  template <int... lane>
  struct Group {};
  template <int count, int... lane>
  struct MakeGroup : MakeGroup<count - 1, count - 1, lane...> {};
  template <int... lane>
  struct MakeGroup<0, lane...> {
    typedef Group<lane...> Type;
  };
  typedef typename MakeGroup<size>::Type Each;  // lanes of a group

  // Sum over the lanes l of a group: (lane l of v) * row l of `rows`.
  template <int... lane>
  TRADEWIND_INLINE Vec product(Vec v, const float* rows, Group<lane...>) const {
    return ((group_lane<size, lane>(v, AllLanes{}) * load(rows + lane * channels_)) + ...);
  }

  // query_ = scale q; edge_query_ = scale W^T q, by slices
  TRADEWIND_INLINE void project_query(const float* query) const {
    for (std::int64_t c = 0; c < channels_; c += width) {
      const Vec q = a_.scale * load(query + c);
      store(query_ + c, q);
      for (std::int64_t slice = 0; slice < slices_; ++slice) {
        store(edge_query_ + slice * channels_ + c, product(q, weight_ + slice * size * channels_ + c, Each{}));
      }
    }
  }

  TRADEWIND_INLINE void score(std::int64_t begin, std::int64_t end) const {
    for (std::int64_t edge = begin; edge < end; ++edge) {
      const T* key = static_cast<const T*>(a_.key) + a_.source[edge] * channels_;
      const float* attributes = a_.attributes + edge * a_.attribute_size;
      float* scores = scores_ + (edge - begin) * channels_;
      for (std::int64_t c = 0; c < channels_; c += width) {
        Vec s = load(query_ + c) * load(key + c);
        for (std::int64_t slice = 0; slice < slices_; ++slice) {
          s += load(edge_query_ + slice * channels_ + c) * repeated<size>(attributes + slice * size);
        }
        store(scores + c, group_sum<size>(s));
      }
    }
  }

  // Scores become p = exp(score - top); what was summed before is scaled down.
  TRADEWIND_INLINE void weigh(std::int64_t edges, bool first, float* out) const {
    for (std::int64_t c = 0; c < channels_; c += width) {
      const Vec before = first ? load(scores_ + c) : load(top_ + c);
      Vec top = before;
      for (std::int64_t e = 0; e < edges; ++e) top = max(top, load(scores_ + e * channels_ + c));
      const Vec factor = first ? Vec{} : exponential(before - top);
      Vec total = first ? Vec{} : load(total_ + c) * factor;
      for (std::int64_t e = 0; e < edges; ++e) {
        const Vec p = exponential(load(scores_ + e * channels_ + c) - top);
        store(scores_ + e * channels_ + c, p);
        total += p;
      }
      store(top_ + c, top);
      store(total_ + c, total);
      store(factor_ + c, factor);
      store(out + c, first ? Vec{} : load(out + c) * factor);
      for (std::int64_t slice = 0; slice < slices_; ++slice) {
        float* sums = edge_sum_ + slice * channels_ + c;
        store(sums, first ? Vec{} : load(sums) * factor);
      }
    }
  }

  // Sums stay in a register while the edges go by.
  TRADEWIND_INLINE void sum_values(std::int64_t begin, std::int64_t end, float* out) const {
    for (std::int64_t c = 0; c < channels_; c += width) {
      const float* scores = scores_ + c;
      const T* values = static_cast<const T*>(a_.value) + c;
      Vec sum = load(out + c);
      for (std::int64_t edge = begin; edge < end; ++edge) {
        sum += load(scores + (edge - begin) * channels_) * load(values + a_.source[edge] * channels_);
      }
      store(out + c, sum);
      for (std::int64_t slice = 0; slice < slices_; ++slice) {
        const float* attributes = a_.attributes + slice * size;
        Vec edge_sum = load(edge_sum_ + slice * channels_ + c);
        for (std::int64_t edge = begin; edge < end; ++edge) {
          edge_sum += load(scores + (edge - begin) * channels_) * repeated<size>(attributes + edge * a_.attribute_size);
        }
        store(edge_sum_ + slice * channels_ + c, edge_sum);
      }
    }
  }

  // out = (out + W sums) / total + b
  TRADEWIND_INLINE void finish(float* out) const {
    for (std::int64_t c = 0; c < channels_; c += width) {
      Vec total = load(out + c);
      for (std::int64_t slice = 0; slice < slices_; ++slice) {
        total += product(load(edge_sum_ + slice * channels_ + c), a_.weight_t + slice * size * channels_ + c, Each{});
      }
      total /= load(total_ + c);
      if (a_.bias) total += load(a_.bias + c);
      store(out + c, total);
    }
  }

  const GraphAttention& a_;
  std::int64_t channels_, slices_;
  float* weight_;  // (attribute_size, channels): row slice * size + c has W[h * size + c, slice * size + i] at (h, i)
  float* edge_query_;  // (slices, channels)
  float* edge_sum_;    // (slices, channels)
  float* query_;
  float* scores_;  // (edge_block, channels)
  float* top_;
  float* total_;
  float* factor_;
};

}  // namespace
