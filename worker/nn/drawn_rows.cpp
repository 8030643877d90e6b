#include "worker/nn/drawn_rows.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "common/errors.h"

namespace tradewind::nn {
namespace {

// torch draws numbers of 16 and more by blocks of so many, and the last block of a field that does not end with one
// anew. Pieces of whole blocks, and a last piece that is at least one, are therefore the whole.
constexpr std::int64_t kBlock = 16;

std::int64_t next_piece(std::int64_t left, std::int64_t piece) { return left < piece + kBlock ? left : piece; }

// What the drawn numbers [begin, begin + numbers) have of [from, to) goes to `out`, which holds that range.
void keep(const at::Tensor& numbers, std::int64_t begin, std::int64_t from, std::int64_t to, at::Tensor out) {
  const std::int64_t first = std::max(begin, from), last = std::min(begin + numbers.size(0), to);
  if (first >= last) return;
  out.narrow(0, first - from, last - first).copy_(numbers.narrow(0, first - begin, last - first));
}

}  // namespace

at::Tensor own_rows(const at::Tensor& field, dist::RowRange own) {
  return field.slice(1, own.begin, own.end).transpose(0, 1).reshape({own.size(), field.size(0) * field.size(2)});
}

at::Tensor drawn_rows(at::Generator random, at::ScalarType type, std::int64_t steps, std::int64_t rows,
                      std::int64_t columns, dist::RowRange own, std::int64_t piece) {
  if (!random.defined()) throw InternalFault("a model that draws random numbers is given none");
  if (piece < kBlock || piece % kBlock != 0) throw InternalFault("pieces of random numbers that are no whole blocks");
  const std::int64_t all = steps * rows * columns;
  at::Tensor kept = at::empty({steps, own.size(), columns}, at::TensorOptions().dtype(type));
  for (std::int64_t begin = 0; begin < all;) {
    const at::Tensor numbers = at::randn({next_piece(all - begin, piece)}, random, type);
    for (std::int64_t step = 0; step < steps; ++step) {
      const std::int64_t from = (step * rows + own.begin) * columns, to = (step * rows + own.end) * columns;
      keep(numbers, begin, from, to, kept.select(0, step).view({-1}));
    }
    begin += numbers.size(0);
  }
  return own_rows(kept, {0, own.size()});
}

}  // namespace tradewind::nn
