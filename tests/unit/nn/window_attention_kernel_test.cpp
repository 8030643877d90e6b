// Sliding-window attention of every instruction set against the masked sum in double precision.
#include "worker/kernels/kernels.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/unit/nn/kernel_cases.h"

using namespace tradewind::kernels;
using namespace tradewind::testing;

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
  for (const KernelSet* set : all_sets()) {
    for (const WindowCase& c : cases) {
      Random random(11);
      const std::int64_t channels = c.heads * c.head_size;
      const auto q = random.floats(c.queries * channels, 2), k = random.floats(c.keys * channels, 2),
                 v = random.floats(c.keys * channels);
      std::vector<float> slopes(c.heads);
      for (std::int64_t h = 0; h < c.heads; ++h) slopes[h] = std::exp2(-static_cast<float>(h + 1));
      std::vector<float> keys(set->packed_keys_size(c.keys, c.heads, c.head_size), NAN);
      std::vector<float> values(set->packed_values_size(c.keys, c.heads, c.head_size), NAN);
      const std::int64_t half = c.keys / 2;  // packed in two parts, as chunks are
      for (std::int64_t h = 0; h < c.heads; ++h) {
        set->pack(k.data(), v.data(), keys.data(), values.data(), c.keys, 0, half, h, c.heads, c.head_size);
        set->pack(k.data() + half * channels, v.data() + half * channels, keys.data(), values.data(), c.keys, half,
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
      std::vector<float> scratch(set->window_attention_scratch(a), NAN);
      for (std::int64_t h = 0; h < c.heads; ++h) {
        for (std::int64_t b = 0; b * query_block < c.queries; ++b) set->window_attention(a, h, b, scratch.data());
      }
      CAPTURE(set->name);
      CAPTURE(c.keys);
      CAPTURE(c.window);
      CAPTURE(c.head_size);
      check_close(out, naive(c, q, k, v, slopes), 2e-5);
    }
  }
}
