// Rows of other ranks that this rank's work reads: planned once, exchanged whenever the rows have changed. With one
// rank there are none and no call is made. Immutable after construction.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "worker/dist/communicator.h"
#include "worker/dist/shards.h"

namespace tradewind::dist {

class HaloPlan {
 public:
  // needed: distinct global rows, sorted; rows this rank owns may be among them. Collective.
  HaloPlan(const Shards& owners, const std::vector<std::int64_t>& needed, Communicator& communicator,
           std::string_view place);

  std::int64_t own_rows() const { return own_.size(); }
  std::int64_t halo_rows() const { return static_cast<std::int64_t>(halo_.size()); }
  // Global numbers of the halo rows, sorted.
  const std::vector<std::int64_t>& halo() const { return halo_; }
  // Where a needed global row lies in a table of the own rows followed by the halo rows.
  std::int64_t table_row(std::int64_t global) const;
  // Own rows (counted from this rank's first) to hand over, for rank 0, then rank 1, ...
  const std::vector<std::int64_t>& rows_to_send() const { return send_; }

  // Where the rows that `exchange` is given are; the CPU unless said otherwise.
  void move_to(at::Device device);

  // Sends `rows`, one per entry of rows_to_send(), and returns the halo rows in order. Collective.
  at::Tensor exchange_selected(const at::Tensor& rows, Communicator& communicator, std::string_view place) const;
  // The same from all own rows, on the device that move_to was given.
  at::Tensor exchange(const at::Tensor& own_rows, Communicator& communicator, std::string_view place) const;

 private:
  RowRange own_;
  bool alone_;
  std::vector<std::int64_t> halo_, send_;
  at::Tensor send_index_;  // send_, on the device of the rows
  std::vector<std::int64_t> send_counts_, receive_counts_;
};

}  // namespace tradewind::dist
