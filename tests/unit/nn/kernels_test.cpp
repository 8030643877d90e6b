// Every instruction set's kernels against plain sums in double precision.
#include "worker/nn/kernels/kernels.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace tradewind::nn::kernels;

namespace tradewind::nn::kernels {
const Table& table_wide();  // the widest vectors' code, compiled for what this machine has
}

namespace {

std::vector<const Table*> all_tables() {
  const TableList list = tables();
  std::vector<const Table*> all(list.tables, list.tables + list.count);
  all.push_back(&table_wide());
  return all;
}

class Random {
 public:
  explicit Random(unsigned seed) : generator_(seed) {}
  std::vector<float> floats(std::size_t count, float scale = 1) {
    std::normal_distribution<float> normal(0, scale);
    std::vector<float> values(count);
    for (float& value : values) value = normal(generator_);
    return values;
  }
  std::int64_t below(std::int64_t limit) {
    return std::uniform_int_distribution<std::int64_t>(0, limit - 1)(generator_);
  }

 private:
  std::mt19937 generator_;
};

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

void check_close(const std::vector<float>& ours, const std::vector<double>& expected, double limit) {
  REQUIRE(ours.size() == expected.size());
  double worst = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double difference = std::abs(ours[i] - expected[i]);
    worst = difference <= worst ? worst : difference;  // NaN becomes the worst
  }
  CHECK(worst < limit);
}

}  // namespace

TEST_CASE("graph attention equals the unfolded sum, for every type of keys") {
  for (const Table* table : all_tables()) {
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
        std::vector<float> scratch(table->graph_attention_scratch(a), NAN);
        const std::int64_t rows = static_cast<std::int64_t>(data.first.size()) - 1;
        table->graph_attention(a, 0, 3, scratch.data());
        table->graph_attention(a, 3, rows, scratch.data());
        CAPTURE(table->name);
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
  for (const Table* table : all_tables()) {
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
    std::vector<float> scratch(table->graph_attention_scratch(a));
    table->graph_attention(a, 0, 1, scratch.data());
    CAPTURE(table->name);
    for (int i = 0; i < 8; ++i) CHECK(out[i] == expected[i].item<float>());
  }
}

namespace {

struct WindowCase {
  std::int64_t keys, queries, position, heads, head_size, window;
  float softcap;
  bool slopes;
};

std::vector<double> naive(const WindowCase& c, const std::vector<float>& q, const std::vector<float>& k,
                          const std::vector<float>& v, const std::vector<float>& slopes) {
  const std::int64_t channels = c.heads * c.head_size;
  std::vector<double> out(c.queries * channels, 0);
  for (std::int64_t i = 0; i < c.queries; ++i) {
    for (std::int64_t head = 0; head < c.heads; ++head) {
      std::vector<double> scores(c.keys, -1e300);
      double top = -1e300, total = 0;
      for (std::int64_t j = 0; j < c.keys; ++j) {
        const std::int64_t distance = std::abs(i + c.position - j);
        if (c.window >= 0 && distance > c.window) continue;
        double s = 0;
        for (std::int64_t d = 0; d < c.head_size; ++d) {
          s += static_cast<double>(q[i * channels + head * c.head_size + d]) * k[j * channels + head * c.head_size + d];
        }
        s /= std::sqrt(static_cast<double>(c.head_size));
        if (c.softcap > 0) s = c.softcap * std::tanh(s / c.softcap);
        if (c.slopes) s -= slopes[head] * static_cast<double>(distance);
        scores[j] = s;
        top = std::max(top, s);
      }
      for (const double s : scores) total += s > -1e299 ? std::exp(s - top) : 0;
      for (std::int64_t j = 0; j < c.keys; ++j) {
        if (scores[j] < -1e299) continue;
        for (std::int64_t d = 0; d < c.head_size; ++d) {
          out[i * channels + head * c.head_size + d] +=
              std::exp(scores[j] - top) / total * v[j * channels + head * c.head_size + d];
        }
      }
    }
  }
  return out;
}

}  // namespace

TEST_CASE("sliding-window attention equals the masked sum") {
  const std::vector<WindowCase> cases = {
      {200, 200, 0, 2, 16, 7, 0, false},      // blocks with both edges of the band
      {200, 200, 0, 2, 16, 0, 0, false},      // every query sees itself only
      {200, 200, 0, 2, 16, 500, 0, false},    // wider than the rows
      {200, 200, 0, 2, 16, -1, 0, false},     // no window
      {2600, 61, 1300, 1, 32, -1, 0, false},  // several tiles
      {2600, 100, 1201, 2, 64, 1100, 0, false},
      {131, 50, 60, 3, 12, 40, 0, false},  // a shard's queries; a head size no vector fits
      {131, 50, 60, 3, 7, 40, 0, false},
      {90, 90, 0, 4, 16, 20, 5, false},  // softcap
      {90, 90, 0, 4, 16, 20, 0, true},   // ALiBi
      {2600, 49, 2000, 2, 24, 1500, 3, true},
      {1, 1, 0, 2, 8, 3, 0, false}};
  for (const Table* table : all_tables()) {
    for (const WindowCase& c : cases) {
      Random random(11);
      const std::int64_t channels = c.heads * c.head_size;
      const auto q = random.floats(c.queries * channels, 2), k = random.floats(c.keys * channels, 2),
                 v = random.floats(c.keys * channels);
      std::vector<float> slopes(c.heads);
      for (std::int64_t h = 0; h < c.heads; ++h) slopes[h] = std::exp2(-static_cast<float>(h + 1));
      std::vector<float> keys(table->packed_keys_size(c.keys, c.heads, c.head_size), NAN);
      std::vector<float> values(table->packed_values_size(c.keys, c.heads, c.head_size), NAN);
      const std::int64_t half = c.keys / 2;  // packed in two parts, as chunks are
      for (std::int64_t h = 0; h < c.heads; ++h) {
        table->pack(k.data(), v.data(), keys.data(), values.data(), c.keys, 0, half, h, c.heads, c.head_size);
        table->pack(k.data() + half * channels, v.data() + half * channels, keys.data(), values.data(), c.keys, half,
                    c.keys - half, h, c.heads, c.head_size);
      }
      WindowAttention a;
      std::vector<float> out = q;  // in place
      a.query = a.out = out.data();
      a.keys = keys.data();
      a.values = values.data();
      a.queries = c.queries;
      a.keys_count = c.keys;
      a.heads = c.heads;
      a.head_size = c.head_size;
      a.query_position = c.position;
      a.window = c.window;
      a.scale = 1.0F / std::sqrt(static_cast<float>(c.head_size));
      a.softcap = c.softcap;
      a.slopes = c.slopes ? slopes.data() : nullptr;
      std::vector<float> scratch(table->window_attention_scratch(a), NAN);
      for (std::int64_t h = 0; h < c.heads; ++h) {
        for (std::int64_t b = 0; b * query_block < c.queries; ++b) table->window_attention(a, h, b, scratch.data());
      }
      CAPTURE(table->name);
      CAPTURE(c.keys);
      CAPTURE(c.window);
      CAPTURE(c.head_size);
      check_close(out, naive(c, q, k, v, slopes), 2e-5);
    }
  }
}

TEST_CASE("layer norm") {
  for (const Table* table : all_tables()) {
    for (const std::int64_t size : {1, 4, 5, 8, 16, 32, 37, 64, 512}) {
      Random random(3);
      std::vector<float> x = random.floats(6 * size, 3);  // six rows: not a multiple of those in a vector
      for (float& value : x) value += 100;                // the mean must be taken out before squaring
      const auto weight = random.floats(size), bias = random.floats(size);
      std::vector<double> expected;
      for (std::int64_t row = 0; row < 6; ++row) {
        double mean = 0, variance = 0;
        for (std::int64_t c = 0; c < size; ++c) mean += x[row * size + c] / static_cast<double>(size);
        for (std::int64_t c = 0; c < size; ++c) variance += std::pow(x[row * size + c] - mean, 2) / size;
        for (std::int64_t c = 0; c < size; ++c) {
          expected.push_back((x[row * size + c] - mean) / std::sqrt(variance + 1e-5) * weight[c] + bias[c]);
        }
      }
      table->layer_norm(x.data(), x.data(), 6, size, weight.data(), bias.data(), 1e-5F);
      CAPTURE(table->name);
      check_close(x, expected, 5e-5);
    }
  }
}

TEST_CASE("GELU, erf form") {
  for (const Table* table : all_tables()) {
    std::vector<float> x;
    for (int i = -1200; i <= 1203; ++i) x.push_back(static_cast<float>(i) * 0.01F);
    x.push_back(-80);
    x.push_back(1e5F);
    std::vector<double> expected;
    for (const float value : x) expected.push_back(0.5 * value * (1 + std::erf(value / std::sqrt(2.0))));
    expected.back() = 1e5;
    table->gelu(x.data(), static_cast<std::int64_t>(x.size()));
    CAPTURE(table->name);
    check_close(x, expected, 1e-6);
  }
}

TEST_CASE("GELU of infinity is infinity, of what is no number none") {
  for (const Table* table : all_tables()) {
    std::vector<float> x(19, std::numeric_limits<float>::infinity());
    x[3] = std::numeric_limits<float>::quiet_NaN();
    x[5] = 1e30F;
    table->gelu(x.data(), static_cast<std::int64_t>(x.size()));
    CHECK(std::isinf(x[0]));
    CHECK(std::isinf(x[18]));
    CHECK(std::isnan(x[3]));
    CHECK(x[5] == 1e30F);
  }
}

TEST_CASE("products with packed weights: bias, what was there before, GELU") {
  for (const Table* table : all_tables()) {
    // rows: none, single ones, parts of tiles, more than a block; outputs that fill no vector, one, or several panels
    for (const std::int64_t rows : {0, 1, 5, 17, 100, 203}) {
      for (const std::int64_t outputs : {1, 4, 16, 33, 64, 100}) {
        for (const bool add : {false, true}) {
          const std::int64_t inputs = 1 + (rows + outputs) % 40, stride = inputs + 3;
          Random random(5);
          const auto x = random.floats(rows * inputs), weight = random.floats(outputs * stride),
                     bias = random.floats(outputs), before = random.floats(rows * outputs + 1);
          std::vector<float> packed_weight(table->packed_weight_size(inputs, outputs), NAN), out = before;
          table->pack_weight(weight.data(), stride, inputs, outputs, packed_weight.data());
          Product p;
          p.x = x.data();
          p.weight = packed_weight.data();
          p.bias = outputs % 2 ? bias.data() : nullptr;
          p.out = out.data();
          p.rows = rows;
          p.inputs = inputs;
          p.outputs = outputs;
          p.add = add;
          p.gelu = rows % 2;
          table->product(p);
          std::vector<double> expected;
          for (std::int64_t r = 0; r < rows; ++r) {
            for (std::int64_t c = 0; c < outputs; ++c) {
              double sum = add ? before[r * outputs + c] : 0;
              if (p.bias) sum += bias[c];
              for (std::int64_t k = 0; k < inputs; ++k) sum += double{x[r * inputs + k]} * weight[c * stride + k];
              expected.push_back(p.gelu ? 0.5 * sum * (1 + std::erf(sum / std::sqrt(2.0))) : sum);
            }
          }
          expected.push_back(before.back());  // nothing is written behind the last row
          CAPTURE(table->name);
          CAPTURE(rows);
          CAPTURE(outputs);
          check_close(out, expected, 2e-5);
        }
      }
    }
  }
}

TEST_CASE("rows picked by number, and summed by runs") {
  for (const Table* table : all_tables()) {
    for (const std::int64_t columns : {1, 7, 16, 45}) {
      Random random(11);
      const auto rows = random.floats(9 * columns), before = random.floats(5 * columns);
      const std::vector<std::int64_t> index{8, 0, 3, 3, 7}, first{2, 2, 4, 7};
      std::vector<float> picked(5 * columns, NAN), summed(3 * columns, NAN);
      table->gather(rows.data(), index.data(), 5, columns, picked.data());
      table->segment_sum(before.data(), first.data(), 3, columns, summed.data());
      std::vector<double> want_picked, want_summed;
      for (std::int64_t i = 0; i < 5 * columns; ++i) {
        want_picked.push_back(rows[index[i / columns] * columns + i % columns]);
      }
      for (std::int64_t s = 0; s < 3; ++s) {
        for (std::int64_t c = 0; c < columns; ++c) {
          double sum = 0;
          for (auto row = first[s]; row < first[s + 1]; ++row) sum += before[(row - first[0]) * columns + c];
          want_summed.push_back(sum);
        }
      }
      CAPTURE(table->name);
      CAPTURE(columns);
      check_close(picked, want_picked, 1e-30);
      check_close(summed, want_summed, 1e-6);
    }
  }
}

TEST_CASE("sums of rows and of rows picked by number from one table or two, and GELU of them") {
  for (const Table* table : all_tables()) {
    for (const std::int64_t columns : {1, 7, 16, 45, 64}) {
      for (const bool two : {false, true}) {
        for (const bool gelu : {false, true}) {
          Random random(12);
          const auto start = random.floats(5 * columns), rows = random.floats(9 * columns),
                     other = random.floats(3 * columns);
          const std::vector<std::int32_t> index{8, 0, 3, 3, 7}, other_index{0, 0, 1, 2, 2};
          std::vector<float> out(5 * columns, NAN);
          GatheredSum sum;
          sum.start = start.data();
          sum.table = rows.data();
          sum.index = index.data();
          if (two) sum.other = other.data();
          sum.other_index = other_index.data();
          sum.out = out.data();
          sum.rows = 5;
          sum.columns = columns;
          sum.gelu = gelu;
          table->gathered_sum(sum);
          std::vector<double> expected;
          for (std::int64_t i = 0; i < 5 * columns; ++i) {
            double value = double{start[i]} + rows[index[i / columns] * columns + i % columns];
            if (two) value += other[other_index[i / columns] * columns + i % columns];
            expected.push_back(gelu ? 0.5 * value * (1 + std::erf(value / std::sqrt(2.0))) : value);
          }
          CAPTURE(table->name);
          CAPTURE(columns);
          CAPTURE(two);
          CAPTURE(gelu);
          check_close(out, expected, 1e-6);
          out = start;  // in place
          sum.start = out.data();
          table->gathered_sum(sum);
          check_close(out, expected, 1e-6);
        }
      }
    }
  }
}

TEST_CASE("rows scaled column by column into wider rows") {
  for (const Table* table : all_tables()) {
    for (const std::int64_t columns : {1, 7, 16, 21, 45}) {
      Random random(13);
      const auto rows = random.floats(9 * columns), multiply = random.floats(columns), add = random.floats(columns);
      const std::vector<std::int64_t> index{8, 0, 3, 3, 7};
      const std::int64_t stride = columns + 2;
      for (const bool picked : {false, true}) {
        for (const bool scaled : {false, true}) {
          std::vector<float> out(5 * stride, -7);
          ScaledRows arguments;
          arguments.table = rows.data();
          arguments.index = picked ? index.data() : nullptr;
          arguments.multiply = scaled ? multiply.data() : nullptr;
          arguments.add = scaled ? add.data() : nullptr;
          arguments.out = out.data() + 1;
          arguments.rows = 5;
          arguments.columns = columns;
          arguments.out_stride = stride;
          table->scaled_rows(arguments);
          std::vector<double> expected(5 * stride, -7);  // what lies between the rows stays
          for (std::int64_t i = 0; i < 5; ++i) {
            for (std::int64_t c = 0; c < columns; ++c) {
              const double value = rows[(picked ? index[i] : i) * columns + c];
              expected[i * stride + 1 + c] = scaled ? value * multiply[c] + add[c] : value;
            }
          }
          CAPTURE(table->name);
          CAPTURE(columns);
          check_close(out, expected, 1e-6);
        }
      }
    }
  }
}
