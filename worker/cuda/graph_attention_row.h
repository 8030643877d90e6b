// Fused graph attention of one destination and head, as kernels.h's GraphAttention says it, written once for a warp:
// on a GPU `Warp::Lanes` is one float of each of 32 threads, in tests it is 32 floats of one thread, so that the very
// arithmetic of the CUDA kernel runs on a CPU. float32 throughout; keys and values are widened when they are loaded.
// Lane l holds channels l, l + 32, ... of the head and attributes l, l + 32, ... of the edge.
#pragma once

#include <cstdint>

#include "worker/cuda/element.h"
#include "worker/kernels/arguments.h"

namespace tradewind::cuda {

constexpr std::int64_t warp_size = 32;
constexpr int edges_at_once = 4;  // edges between two updates of the running softmax

// channel_parts, attribute_parts: how many times 32 channels and attributes a lane holds; the head and the attributes
// fit into them.
template <class Warp, class T, int channel_parts, int attribute_parts>
class GraphAttentionHead {
 public:
  using Lanes = typename Warp::Lanes;

  TRADEWIND_HOST_DEVICE GraphAttentionHead(const kernels::GraphAttention& arguments, std::int64_t row,
                                           std::int64_t head)
      : a_(arguments), channels_(a_.heads * a_.head_size), offset_(head * a_.head_size), row_(row) {}

  TRADEWIND_HOST_DEVICE void run() {
    const std::int64_t first = a_.first_edge[row_], last = a_.first_edge[row_ + 1];
    for (int c = 0; c < channel_parts; ++c) sum_[c] = Warp::zero();
    if (first == last) {
      store();
      return;
    }
    project_query();
    for (int k = 0; k < attribute_parts; ++k) attribute_sum_[k] = Warp::zero();
    for (std::int64_t edge = first; edge < last; edge += edges_at_once) add_edges(edge, last);
    finish();
    store();
  }

 private:
  // Channels [32 c, 32 c + 32) of this head at p, which points at channel 0 of all heads.
  template <class U>
  TRADEWIND_HOST_DEVICE Lanes load(const U* p, int c) const {
    return Warp::load(p + offset_ + c * warp_size, a_.head_size - c * warp_size);
  }
  TRADEWIND_HOST_DEVICE Lanes load_attributes(std::int64_t edge, int k) const {
    return Warp::load(a_.attributes + edge * a_.attribute_size + k * warp_size, a_.attribute_size - k * warp_size);
  }

  // query_ = scale q; edge_query_ = scale W^T q
  TRADEWIND_HOST_DEVICE void project_query() {
    for (int c = 0; c < channel_parts; ++c) query_[c] = load(a_.query + row_ * channels_, c) * Warp::splat(a_.scale);
    for (int k = 0; k < attribute_parts; ++k) {
      edge_query_[k] = Warp::zero();
      for (int lane = 0; lane < warp_size && k * warp_size + lane < a_.attribute_size; ++lane) {
        const float* weight = a_.weight_t + (k * warp_size + lane) * channels_;
        Lanes part = query_[0] * load(weight, 0);
        for (int c = 1; c < channel_parts; ++c) part = part + query_[c] * load(weight, c);
        edge_query_[k] = Warp::with(edge_query_[k], lane, Warp::sum(part));
      }
    }
  }

  TRADEWIND_HOST_DEVICE void add_edges(std::int64_t edge, std::int64_t last) {
    const T* keys = static_cast<const T*>(a_.key);
    const T* values = static_cast<const T*>(a_.value);
    // Beyond the last edge the last one is read again, with no weight.
    std::int64_t edges[edges_at_once], rows[edges_at_once];
    float weight[edges_at_once];
    float top = top_;
    for (int e = 0; e < edges_at_once; ++e) {
      edges[e] = edge + e < last ? edge + e : last - 1;
      rows[e] = a_.source[edges[e]] * channels_;
      Lanes part = query_[0] * load(keys + rows[e], 0);
      for (int c = 1; c < channel_parts; ++c) part = part + query_[c] * load(keys + rows[e], c);
      for (int k = 0; k < attribute_parts; ++k) part = part + edge_query_[k] * load_attributes(edges[e], k);
      weight[e] = Warp::sum(part);
      top = weight[e] > top ? weight[e] : top;
    }
    const float factor = Warp::exponential(top_ - top);
    top_ = top;
    total_ *= factor;
    for (int e = 0; e < edges_at_once; ++e) {
      weight[e] = edge + e < last ? Warp::exponential(weight[e] - top) : 0.0F;
      total_ += weight[e];
    }
    for (int c = 0; c < channel_parts; ++c) {
      sum_[c] = sum_[c] * Warp::splat(factor);
      for (int e = 0; e < edges_at_once; ++e) {
        sum_[c] = sum_[c] + Warp::splat(weight[e]) * load(values + rows[e], c);
      }
    }
    for (int k = 0; k < attribute_parts; ++k) {
      attribute_sum_[k] = attribute_sum_[k] * Warp::splat(factor);
      for (int e = 0; e < edges_at_once; ++e) {
        attribute_sum_[k] = attribute_sum_[k] + Warp::splat(weight[e]) * load_attributes(edges[e], k);
      }
    }
  }

  // sum_ = (sum_ + W attribute_sum_) / total_ + b
  TRADEWIND_HOST_DEVICE void finish() {
    for (int k = 0; k < attribute_parts; ++k) {
      for (int lane = 0; lane < warp_size && k * warp_size + lane < a_.attribute_size; ++lane) {
        const Lanes attribute = Warp::splat(Warp::at(attribute_sum_[k], lane));
        const float* weight = a_.weight_t + (k * warp_size + lane) * channels_;
        for (int c = 0; c < channel_parts; ++c) sum_[c] = sum_[c] + attribute * load(weight, c);
      }
    }
    for (int c = 0; c < channel_parts; ++c) {
      sum_[c] = sum_[c] * Warp::splat(1.0F / total_);
      if (a_.bias != nullptr) sum_[c] = sum_[c] + load(a_.bias, c);
    }
  }

  TRADEWIND_HOST_DEVICE void store() const {
    for (int c = 0; c < channel_parts; ++c) {
      Warp::store(a_.out + row_ * channels_ + offset_ + c * warp_size, a_.head_size - c * warp_size, sum_[c]);
    }
  }

  const kernels::GraphAttention& a_;
  std::int64_t channels_, offset_, row_;
  Lanes query_[channel_parts], sum_[channel_parts];
  Lanes edge_query_[attribute_parts], attribute_sum_[attribute_parts];
  float top_ = -3.0e38F, total_ = 0;
};

// Calls f<T, channel_parts, attribute_parts>() with what `a` needs. Heads and attributes beyond the limits are refused
// when a layer comes to the device.
template <class F>
void with_instance(const kernels::GraphAttention& a, const F& f) {
  const auto with_parts = [&]<class T>() {
    const bool narrow = a.attribute_size <= warp_size;
    const auto with_channels = [&]<int channel_parts>() {
      narrow ? f.template operator()<T, channel_parts, 1>()
             : f.template operator()<T, channel_parts, kernels::cuda_attribute_limit / warp_size>();
    };
    if (a.head_size <= warp_size) {
      with_channels.template operator()<1>();
    } else if (a.head_size <= 2 * warp_size) {
      with_channels.template operator()<2>();
    } else if (a.head_size <= 4 * warp_size) {
      with_channels.template operator()<4>();
    } else {
      with_channels.template operator()<kernels::cuda_head_size_limit / warp_size>();
    }
  };
  switch (a.element) {
    case kernels::Element::f32:
      return with_parts.template operator()<float>();
    case kernels::Element::bf16:
      return with_parts.template operator()<Bf16>();
    case kernels::Element::f16:
      return with_parts.template operator()<F16>();
  }
}

}  // namespace tradewind::cuda
