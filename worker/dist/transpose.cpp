#include "worker/dist/transpose.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "worker/dist/shards.h"

namespace tradewind::dist {
namespace {

using Counts = std::vector<std::int64_t>;

// The pieces of a transposition, the same on every rank. A piece is the next few variables of every owner, and of each
// rank's rows either all or one part.
class Pieces {
 public:
  Pieces(const Communicator& communicator, const FieldLayout& layout, std::int64_t element_size)
      : rank_(static_cast<std::size_t>(communicator.rank())), owned_(layout.row_counts.size()), begins_(owned_.size()) {
    const auto ranks = static_cast<std::size_t>(communicator.size());
    if (layout.row_counts.size() != ranks) {
      throw InternalFault("row counts of " + std::to_string(layout.row_counts.size()) + " ranks for " +
                          std::to_string(ranks));
    }
    for (std::size_t variable = 0; variable < layout.owners.size(); ++variable) {
      const int owner = layout.owners[variable];
      if (owner < 0 || static_cast<std::size_t>(owner) >= ranks) {
        throw InternalFault("variable " + std::to_string(variable) + " is owned by rank " + std::to_string(owner));
      }
      owned_[static_cast<std::size_t>(owner)].push_back(static_cast<std::int64_t>(variable));
    }
    std::exclusive_scan(layout.row_counts.begin(), layout.row_counts.end(), begins_.begin(), std::int64_t{0});
    rows_ = begins_.back() + layout.row_counts.back();
    // Neither what an owner receives of one field, nor what a rank sends of one field of each owner, is larger.
    const std::int64_t largest = *std::max_element(layout.row_counts.begin(), layout.row_counts.end());
    const std::int64_t row_bytes = communicator.size() * element_size, bound = std::max(layout.max_bytes, row_bytes);
    const std::int64_t rows_at_once = bound / row_bytes;
    if (largest > 0) {
      variables_ = std::max<std::int64_t>(1, rows_at_once / largest);
      parts_ = static_cast<int>((largest + rows_at_once - 1) / rows_at_once);
    }
    for (const std::int64_t count : layout.row_counts) shards_.emplace_back(count, parts_);
    for (const auto& variables : owned_) {
      const auto count = static_cast<std::int64_t>(variables.size());
      rounds_ = std::max(rounds_, (count + variables_ - 1) / variables_);
    }
  }

  std::int64_t rounds() const { return rounds_; }
  int parts() const { return parts_; }
  std::int64_t rows() const { return rows_; }
  std::size_t ranks() const { return owned_.size(); }

  Counts variables_of(std::size_t owner, std::int64_t round) const {
    const Counts& all = owned_[owner];
    const auto count = static_cast<std::int64_t>(all.size());
    return {all.begin() + std::min(count, round * variables_), all.begin() + std::min(count, (round + 1) * variables_)};
  }
  Counts my_variables(std::int64_t round) const { return variables_of(rank_, round); }
  // Rows of `rank` in this part, counted from its first.
  RowRange local_rows(std::size_t rank, int part) const { return shards_[rank].range(part); }
  RowRange my_rows(int part) const { return local_rows(rank_, part); }
  // The same, counted from the field's first.
  RowRange field_rows(std::size_t rank, int part) const {
    const RowRange local = local_rows(rank, part);
    return {begins_[rank] + local.begin, begins_[rank] + local.end};
  }

  // Elements between this rank as a holder of rows and every owner, and the other way round.
  Counts as_holder(std::int64_t round, int part) const {
    Counts counts;
    for (std::size_t owner = 0; owner < ranks(); ++owner) {
      counts.push_back(static_cast<std::int64_t>(variables_of(owner, round).size()) * my_rows(part).size());
    }
    return counts;
  }
  Counts as_owner(std::int64_t round, int part) const {
    Counts counts;
    for (std::size_t rank = 0; rank < ranks(); ++rank) {
      counts.push_back(static_cast<std::int64_t>(my_variables(round).size()) * local_rows(rank, part).size());
    }
    return counts;
  }

 private:
  std::size_t rank_;
  std::vector<Counts> owned_;  // variables of each rank, ascending
  Counts begins_;              // first row of each rank
  std::vector<Shards> shards_;
  std::int64_t rows_ = 0, variables_ = 1, rounds_ = 0;
  int parts_ = 1;
};

at::Tensor narrow_to(const at::Tensor& tensor, std::int64_t dimension, const RowRange& range) {
  return tensor.narrow(dimension, range.begin, range.size());
}

// The sum of counts as the length of a flat buffer.
at::Tensor buffer(const Counts& counts, const at::TensorOptions& options) {
  return at::empty({std::accumulate(counts.begin(), counts.end(), std::int64_t{0})}, options);
}

// Walks a flat buffer in consecutive (variables, rows) blocks.
class Blocks {
 public:
  explicit Blocks(at::Tensor flat) : flat_(std::move(flat)) {}
  at::Tensor next(std::int64_t variables, std::int64_t rows) {
    const std::int64_t begin = std::exchange(next_, next_ + variables * rows);
    return flat_.narrow(0, begin, variables * rows).view({variables, rows});
  }

 private:
  at::Tensor flat_;
  std::int64_t next_ = 0;
};

}  // namespace

void fields_to_owners(Communicator& communicator, const at::Tensor& fields, const FieldLayout& layout,
                      const FieldSink& sink, std::string_view place) {
  const Pieces pieces(communicator, layout, fields.element_size());
  const std::int64_t my_rows = layout.row_counts[static_cast<std::size_t>(communicator.rank())];
  if (fields.dim() != 2 || fields.size(0) != static_cast<std::int64_t>(layout.owners.size()) ||
      fields.size(1) != my_rows) {
    throw InternalFault("fields to write: not (variables, rows)", std::string(place));
  }
  for (std::int64_t round = 0; round < pieces.rounds(); ++round) {
    const Counts mine = pieces.my_variables(round);
    const auto count = static_cast<std::int64_t>(mine.size());
    const at::Tensor whole = at::empty({count, pieces.rows()}, fields.options());
    for (int part = 0; part < pieces.parts(); ++part) {
      const Counts send_counts = pieces.as_holder(round, part), receive_counts = pieces.as_owner(round, part);
      const at::Tensor rows = narrow_to(fields, 1, pieces.my_rows(part)), sent = buffer(send_counts, fields.options());
      Blocks out(sent);
      for (std::size_t owner = 0; owner < pieces.ranks(); ++owner) {
        const Counts variables = pieces.variables_of(owner, round);
        const at::Tensor block = out.next(static_cast<std::int64_t>(variables.size()), rows.size(1));
        for (std::size_t i = 0; i < variables.size(); ++i) {
          block[static_cast<std::int64_t>(i)].copy_(rows[variables[i]]);
        }
      }
      Blocks in(communicator.all_to_all(sent, send_counts, receive_counts, place));
      for (std::size_t rank = 0; rank < pieces.ranks(); ++rank) {
        const RowRange range = pieces.field_rows(rank, part);
        narrow_to(whole, 1, range).copy_(in.next(count, range.size()));
      }
    }
    if (count > 0) sink(mine, whole);
  }
}

at::Tensor fields_to_rows(Communicator& communicator, const FieldSource& source, at::ScalarType dtype,
                          const FieldLayout& layout, std::string_view place) {
  const Pieces pieces(communicator, layout, static_cast<std::int64_t>(at::elementSize(dtype)));
  const auto variables_in_all = static_cast<std::int64_t>(layout.owners.size());
  at::Tensor fields =
      at::empty({variables_in_all, layout.row_counts[static_cast<std::size_t>(communicator.rank())]}, dtype);
  for (std::int64_t round = 0; round < pieces.rounds(); ++round) {
    const Counts mine = pieces.my_variables(round);
    const auto count = static_cast<std::int64_t>(mine.size());
    const at::Tensor whole = count > 0 ? source(mine) : at::empty({0, pieces.rows()}, dtype);
    if (whole.sizes() != at::IntArrayRef{count, pieces.rows()} || whole.scalar_type() != dtype) {
      throw InternalFault("variables from " + std::to_string(mine.front()) + " on: not " + std::to_string(count) +
                              " fields of " + std::to_string(pieces.rows()) + " values of " + at::toString(dtype),
                          std::string(place));
    }
    for (int part = 0; part < pieces.parts(); ++part) {
      const Counts send_counts = pieces.as_owner(round, part), receive_counts = pieces.as_holder(round, part);
      const at::Tensor sent = buffer(send_counts, fields.options());
      Blocks out(sent);
      for (std::size_t rank = 0; rank < pieces.ranks(); ++rank) {
        const RowRange range = pieces.field_rows(rank, part);
        out.next(count, range.size()).copy_(narrow_to(whole, 1, range));
      }
      Blocks in(communicator.all_to_all(sent, send_counts, receive_counts, place));
      const at::Tensor rows = narrow_to(fields, 1, pieces.my_rows(part));
      for (std::size_t owner = 0; owner < pieces.ranks(); ++owner) {
        const Counts variables = pieces.variables_of(owner, round);
        const at::Tensor block = in.next(static_cast<std::int64_t>(variables.size()), rows.size(1));
        for (std::size_t i = 0; i < variables.size(); ++i) {
          rows[variables[i]].copy_(block[static_cast<std::int64_t>(i)]);
        }
      }
    }
  }
  return fields;
}

}  // namespace tradewind::dist
