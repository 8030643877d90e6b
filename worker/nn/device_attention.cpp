#include "worker/nn/device_attention.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace tradewind::nn {
namespace {

// Scores of a block of queries may take this much.
constexpr std::int64_t scores_bytes = 128 << 20;

// The keys that queries at [position, position + queries) see.
struct Seen {
  std::int64_t begin, end;
};
Seen seen_by(const DeviceAttention& a, std::int64_t position, std::int64_t queries, std::int64_t keys) {
  if (a.window < 0) return {0, keys};
  return {std::clamp<std::int64_t>(position - a.window, 0, keys),
          std::clamp<std::int64_t>(position + queries + a.window, 0, keys)};
}

// Its windows reach from each query to both sides, so no query may lie further than the window from the keys.
bool suits_flash(const DeviceAttention& a, std::int64_t position, std::int64_t queries, const at::Tensor& keys) {
  const std::int64_t after = seen_by(a, position, queries, keys.size(0)).end - position - queries;
  if (a.window >= 0 && std::abs(after) > a.window) return false;
  return keys.is_cuda() && keys.scalar_type() != at::kFloat && a.softcap == 0 && !a.slopes.defined() &&
         a.head_size % 8 == 0 && a.head_size <= 256;
}

void attend_flash(const DeviceAttention& a, const at::Tensor& query, std::int64_t position, const at::Tensor& keys,
                  const at::Tensor& values, at::Tensor& out) {
  const std::int64_t queries = query.size(0);
  const Seen seen = seen_by(a, position, queries, keys.size(0));
  const std::int64_t count = seen.end - seen.begin;
  const auto heads = [&](const at::Tensor& rows) { return rows.view({1, rows.size(0), a.heads, a.head_size}); };
  // Its windows count from the last query at the last key: the keys after that query shift them.
  const std::int64_t after = seen.end - position - queries;
  const std::optional<std::int64_t> left = a.window < 0 ? -1 : a.window + after;
  const std::optional<std::int64_t> right = a.window < 0 ? -1 : a.window - after;
  const at::Tensor result = std::get<0>(at::_flash_attention_forward(
      heads(query.to(keys.scalar_type())), heads(keys.narrow(0, seen.begin, count)),
      heads(values.narrow(0, seen.begin, count)), {}, {}, queries, count, 0.0, false, false, a.scale, left, right));
  out.copy_(result.view({queries, a.heads * a.head_size}));
}

// Distance of each query from each key: (queries, keys) int64. first_key: position of key 0 less that of query 0.
at::Tensor distances(std::int64_t queries, std::int64_t keys, std::int64_t first_key, const at::Tensor& like) {
  const at::TensorOptions options = like.options().dtype(at::kLong);
  return (at::arange(queries, options).unsqueeze(1) - at::arange(first_key, first_key + keys, options)).abs_();
}

void attend_blocks(const DeviceAttention& a, const at::Tensor& query, std::int64_t position, const at::Tensor& keys,
                   const at::Tensor& values, at::Tensor& out) {
  const std::int64_t total = query.size(0), rows = keys.size(0);
  const std::int64_t most = a.window < 0 ? rows : std::min(rows, 4 * a.window + 2);
  const std::int64_t longest = a.window < 0 ? total : 2 * a.window;
  const std::int64_t step = std::clamp<std::int64_t>(scores_bytes / 4 / a.heads / std::max<std::int64_t>(1, most), 16,
                                                     std::max<std::int64_t>(16, longest));
  const auto by_head = [&](const at::Tensor& x) {  // (heads, rows, head_size) float32
    return x.view({x.size(0), a.heads, a.head_size}).transpose(0, 1).to(at::kFloat);
  };
  at::Tensor distance;
  std::int64_t known_first = 0;
  for (std::int64_t begin = 0; begin < total; begin += step) {
    const std::int64_t queries = std::min(step, total - begin);
    const Seen seen = seen_by(a, position + begin, queries, rows);
    const std::int64_t count = seen.end - seen.begin, first_key = seen.begin - position - begin;
    if (count == 0) {
      out.narrow(0, begin, queries).zero_();
      continue;
    }
    at::Tensor scores =
        at::bmm(by_head(query.narrow(0, begin, queries)), by_head(keys.narrow(0, seen.begin, count)).transpose(1, 2))
            .mul_(a.scale);
    if (a.softcap > 0) scores = scores.div_(a.softcap).tanh_().mul_(a.softcap);
    if (a.window >= 0 || a.slopes.defined()) {
      // Blocks away from both ends are alike.
      if (!distance.defined() || distance.size(0) != queries || distance.size(1) != count || known_first != first_key) {
        distance = distances(queries, count, first_key, query);
        known_first = first_key;
      }
      if (a.slopes.defined()) scores.sub_(a.slopes.view({-1, 1, 1}) * distance);
      if (a.window >= 0) {
        scores.masked_fill_(distance.gt(a.window), -std::numeric_limits<float>::infinity());
      }
    }
    at::Tensor weights = scores.softmax(-1);
    if (a.window >= 0) weights.masked_fill_(distance.gt(a.window), 0);  // also of queries that see no key
    const at::Tensor result = at::bmm(weights, by_head(values.narrow(0, seen.begin, count)));
    out.narrow(0, begin, queries).view({queries, a.heads, a.head_size}).copy_(result.transpose(0, 1));
  }
}

}  // namespace

void attend(const DeviceAttention& attention, const at::Tensor& query, std::int64_t position, const at::Tensor& keys,
            const at::Tensor& values, at::Tensor out) {
  if (query.size(0) == 0) return;
  suits_flash(attention, position, query.size(0), keys) ? attend_flash(attention, query, position, keys, values, out)
                                                        : attend_blocks(attention, query, position, keys, values, out);
}

}  // namespace tradewind::nn
