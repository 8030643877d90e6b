// Graph attention of every instruction set against the unfolded sum in double precision.
#include "worker/kernels/kernels.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/unit/nn/kernel_cases.h"

using namespace tradewind::kernels;
using namespace tradewind::testing;

namespace {

struct GraphCase {
  std::int64_t heads, head_size, attributes;
  bool bias;
};

// Rows of 0, 1, 3, 32, 33 and 100 edges, among 50 sources.
struct GraphData {
  std::vector<std::int64_t> first{0};
  std::vector<std::int32_t> source;
  std::vector<float> query, key, value, attributes, weight, weight_t, bias;
  GraphData(const GraphCase& c, std::int64_t padded) {
    Random random(7);
    for (const std::int64_t degree : {0, 1, 3, 32, 33, 100, 0, 5}) {
      for (std::int64_t i = 0; i < degree; ++i) source.push_back(static_cast<std::int32_t>(random.below(50)));
      first.push_back(static_cast<std::int64_t>(source.size()));
    }
    const std::int64_t channels = c.heads * c.head_size;
    query = random.floats((first.size() - 1) * channels, 2);
    key = random.floats(50 * channels);
    value = random.floats(50 * channels);
    bias = random.floats(channels);
    attributes.assign(source.size() * padded, 0);
    weight.assign(channels * padded, 0);
    weight_t.assign(channels * padded, 0);
    for (std::size_t e = 0; e < source.size(); ++e) {
      const auto values = random.floats(c.attributes);
      std::copy(values.begin(), values.end(), attributes.begin() + e * padded);
    }
    for (std::int64_t row = 0; row < channels; ++row) {
      const auto values = random.floats(c.attributes);
      for (std::int64_t t = 0; t < c.attributes; ++t)
        weight[row * padded + t] = weight_t[t * channels + row] = values[t];
    }
  }
};

// The unfolded formula: an edge's key and value get W a + b added.
std::vector<double> naive(const GraphCase& c, std::int64_t padded, const GraphData& d) {
  const std::int64_t channels = c.heads * c.head_size, rows = static_cast<std::int64_t>(d.first.size()) - 1;
  std::vector<double> out(rows * channels, 0);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t head = 0; head < c.heads; ++head) {
      std::vector<double> scores;
      double top = -1e300, total = 0;
      const auto edge_value = [&](std::int64_t e, std::int64_t channel) {
        double sum = c.bias ? d.bias[channel] : 0;
        for (std::int64_t t = 0; t < padded; ++t) {
          sum += static_cast<double>(d.weight[channel * padded + t]) * d.attributes[e * padded + t];
        }
        return sum;
      };
      for (std::int64_t e = d.first[row]; e < d.first[row + 1]; ++e) {
        double score = 0;
        for (std::int64_t i = 0; i < c.head_size; ++i) {
          const std::int64_t channel = head * c.head_size + i;
          score +=
              d.query[row * channels + channel] * (d.key[d.source[e] * channels + channel] + edge_value(e, channel));
        }
        scores.push_back(score / std::sqrt(static_cast<double>(c.head_size)));
        top = std::max(top, scores.back());
      }
      for (const double score : scores) total += std::exp(score - top);
      for (std::int64_t e = d.first[row]; e < d.first[row + 1]; ++e) {
        const double weight = std::exp(scores[e - d.first[row]] - top) / total;
        for (std::int64_t i = 0; i < c.head_size; ++i) {
          const std::int64_t channel = head * c.head_size + i;
          out[row * channels + channel] +=
              weight * (d.value[d.source[e] * channels + channel] + edge_value(e, channel));
        }
      }
    }
  }
  return out;
}

void round_to(std::vector<float>& values, at::ScalarType type, std::vector<std::uint16_t>& bits) {
  at::Tensor all = at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())}, at::kFloat);
  const at::Tensor low = all.to(type);
  const auto* raw = static_cast<const std::uint16_t*>(low.const_data_ptr());
  bits.assign(raw, raw + values.size());
  all.copy_(low);
}

}  // namespace

TEST_CASE("graph attention equals the unfolded sum, for every type of keys") {
  for (const KernelSet* set : all_sets()) {
    for (const GraphCase& c : {GraphCase{4, 16, 11, true}, GraphCase{16, 32, 3, true}, GraphCase{3, 12, 8, false},
                               GraphCase{2, 64, 19, true}, GraphCase{5, 7, 1, true}, GraphCase{4, 4, 5, true},
                               GraphCase{4, 8, 8, false}, GraphCase{12, 4, 11, true}, GraphCase{6, 8, 19, true}}) {
      const std::int64_t padded = (c.attributes + attribute_padding - 1) / attribute_padding * attribute_padding;
      for (const Element element : {Element::f32, Element::bf16, Element::f16}) {
        GraphData data(c, padded);
        std::vector<std::uint16_t> low_key, low_value;
        if (element != Element::f32) {
          const at::ScalarType type = element == Element::bf16 ? at::kBFloat16 : at::kHalf;
          round_to(data.key, type, low_key);
          round_to(data.value, type, low_value);
        }
        GraphAttention a;
        a.query = data.query.data();
        a.key = element == Element::f32 ? static_cast<const void*>(data.key.data()) : low_key.data();
        a.value = element == Element::f32 ? static_cast<const void*>(data.value.data()) : low_value.data();
        a.element = element;
        a.first_edge = data.first.data();
        a.source = data.source.data();
        a.attributes = data.attributes.data();
        a.weight = data.weight.data();
        a.weight_t = data.weight_t.data();
        a.bias = c.bias ? data.bias.data() : nullptr;
        std::vector<float> out(data.query.size(), NAN);
        a.out = out.data();
        a.heads = c.heads;
        a.head_size = c.head_size;
        a.attribute_size = padded;
        a.scale = 1.0F / std::sqrt(static_cast<float>(c.head_size));
        std::vector<float> scratch(set->graph_attention_scratch(a), NAN);
        const std::int64_t rows = static_cast<std::int64_t>(data.first.size()) - 1;
        set->graph_attention(a, 0, 3, scratch.data());
        set->graph_attention(a, 3, rows, scratch.data());
        CAPTURE(set->name);
        CAPTURE(c.head_size);
        check_close(out, naive(c, padded, data), 2e-5);
        for (std::int64_t i = 0; i < c.heads * c.head_size; ++i) CHECK(out[i] == 0);  // a row without edges
      }
    }
  }
}

TEST_CASE("16 bit keys keep subnormal halves and infinities") {
  // One edge: the result is its value.
  const std::vector<std::uint16_t> halves = {0x0001, 0x83ff, 0x7bff, 0x7c00, 0x3c00, 0x0000, 0x8000, 0x0400};
  const std::vector<std::int64_t> first = {0, 1};
  const std::vector<std::int32_t> source = {0};
  const std::vector<float> zeros(64, 0);
  const std::vector<std::uint16_t> key(8, 0);
  const at::Tensor expected = at::from_blob(const_cast<std::uint16_t*>(halves.data()), {8}, at::kHalf).to(at::kFloat);
  for (const KernelSet* set : all_sets()) {
    GraphAttention a;
    std::vector<float> out(8);
    a.query = a.attributes = a.weight = a.weight_t = zeros.data();
    a.key = key.data();
    a.value = halves.data();
    a.element = Element::f16;
    a.first_edge = first.data();
    a.source = source.data();
    a.out = out.data();
    a.heads = 1;
    a.head_size = 8;
    a.attribute_size = 8;
    std::vector<float> scratch(set->graph_attention_scratch(a));
    set->graph_attention(a, 0, 1, scratch.data());
    CAPTURE(set->name);
    for (int i = 0; i < 8; ++i) CHECK(out[i] == expected[i].item<float>());
  }
}
