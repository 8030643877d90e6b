#include "worker/nn/sparse_product.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "worker/nn/move.h"

namespace tradewind::nn {
namespace {

constexpr std::int64_t kEntriesOfPiece = 1 << 20;

std::vector<std::int64_t> distinct_columns(const graph::SparseRows& rows) {
  std::vector<std::int64_t> distinct(rows.column.begin(), rows.column.end());
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  return distinct;
}

// Past the last row from `begin` on that a piece holds; always at least one.
std::int64_t end_of_piece(const std::vector<std::int64_t>& first, std::int64_t begin) {
  const std::int64_t most = first[static_cast<std::size_t>(begin)] + kEntriesOfPiece;
  const auto past = std::upper_bound(first.begin() + begin + 1, first.end(), most);
  return std::max(begin + 1, past - first.begin() - 1);
}

}  // namespace

SparseProduct::SparseProduct(const checkpoint::SparseDescriptor& matrix, const dist::Shards& sources,
                             const dist::Shards& destinations, dist::Communicator& communicator, std::string place)
    : SparseProduct(graph::rows_of(matrix, destinations.range(communicator.rank())), sources, communicator,
                    std::move(place)) {}

SparseProduct::SparseProduct(graph::SparseRows rows, const dist::Shards& sources, dist::Communicator& communicator,
                             std::string place)
    : place_(std::move(place)),
      plan_(std::in_place, sources, distinct_columns(rows), communicator, place_ + " plan"),
      rows_(rows.rows()) {
  for (std::int32_t& column : rows.column) column = static_cast<std::int32_t>(plan_->table_row(column));
  cut(rows);
}

SparseProduct::SparseProduct(const checkpoint::SparseDescriptor& matrix, dist::RowRange destinations)
    : rows_(destinations.size()) {
  cut(graph::rows_of(matrix, destinations));
}

void SparseProduct::cut(const graph::SparseRows& rows) {
  const at::Tensor first = at::tensor(rows.first, at::kLong), column = at::tensor(rows.column, at::kInt);
  for (std::int64_t begin = 0; begin < rows_;) {
    const std::int64_t end = end_of_piece(rows.first, begin);
    const std::int64_t at = rows.first[static_cast<std::size_t>(begin)];
    const std::int64_t past = rows.first[static_cast<std::size_t>(end)];
    pieces_.push_back(
        {{begin, end}, {first.slice(0, begin, end + 1), column.slice(0, at, past), rows.weight.slice(0, at, past)}});
    begin = end;
  }
}

void SparseProduct::move_to(at::Device device) {
  if (plan_) plan_->move_to(device);
  for (Piece& piece : pieces_) {
    for (at::Tensor* each : {&piece.entries.first, &piece.entries.column, &piece.entries.weight}) {
      move_part(*each, device);
    }
  }
}

at::Tensor SparseProduct::operator()(const at::Tensor& x, dist::Communicator& communicator,
                                     const Operations& operations) const {
  const at::Tensor halo = plan_ ? plan_->exchange(x, communicator, place_) : x.narrow(0, 0, 0);
  at::Tensor out = at::empty({rows_, x.size(1)}, x.options());
  for (const Piece& piece : pieces_) {
    operations.sum_weighted_rows(piece.entries, x, halo, out.narrow(0, piece.rows.begin, piece.rows.size()));
  }
  return out;
}

}  // namespace tradewind::nn
