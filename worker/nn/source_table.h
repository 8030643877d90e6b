// The rows that a rank's edges start from: own rows followed by the rows that other ranks own (the halo), which are
// fetched whenever the rows have changed.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>
#include <vector>

#include "worker/dist/halo.h"
#include "worker/nn/move.h"
#include "worker/nn/row_source.h"

namespace tradewind::nn {

// Row numbers in such a table, ascending: the first `own` of them are own rows, those after it are rows of the halo,
// counted from the halo's first.
struct TableRows {
  at::Tensor rows;  // int64
  std::int64_t own = 0;
  std::int64_t count() const { return rows.size(0); }
  void move_to(at::Device device) { move_part(rows, device); }
};
TableRows table_rows(const std::vector<std::int64_t>& ascending, std::int64_t own_rows);

// Own rows and a fetched halo. Refers to the own rows and the operations.
class SourceTable {
 public:
  SourceTable(const RowSource& own, at::Tensor halo, const Operations& operations)
      : own_(own), halo_(std::move(halo)), operations_(operations) {}
  std::int64_t columns() const { return own_.columns(); }
  // Rows which.rows[begin, begin + out.size(0)) to out (n, columns), float32 contiguous.
  void rows(const TableRows& which, std::int64_t begin, at::Tensor out) const;

 private:
  const RowSource& own_;
  at::Tensor halo_;
  const Operations& operations_;
};

// Where the halo of a set of edges comes from. Immutable after construction.
class SourceHalo {
 public:
  // needed: the distinct global rows in which the rank's edges start, ascending. Collective.
  SourceHalo(const dist::Shards& owners, const std::vector<std::int64_t>& needed, dist::Communicator& communicator,
             std::string place);
  std::int64_t own_rows() const { return plan_.own_rows(); }
  std::int64_t halo_rows() const { return plan_.halo_rows(); }
  std::int64_t table_row(std::int64_t global) const { return plan_.table_row(global); }
  void move_to(at::Device device) { move_part(send_, device); }
  // (halo rows, columns) float32, on the device of this object. Each rank makes the rows that others need of it. place:
  // of the layer, when several fetch from here. Collective.
  at::Tensor fetch(const RowSource& own, dist::Communicator& communicator) const {
    return fetch(own, communicator, place_);
  }
  at::Tensor fetch(const RowSource& own, dist::Communicator& communicator, std::string_view place) const;

 private:
  dist::HaloPlan plan_;
  at::Tensor send_;  // own rows to hand over, int64
  std::string place_;
};

}  // namespace tradewind::nn
