#include "worker/dist/halo.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>

#include "common/errors.h"

namespace tradewind::dist {
namespace {

at::Tensor to_tensor(const std::vector<std::int64_t>& values) { return at::tensor(values, at::kLong); }

std::vector<std::int64_t> to_vector(const at::Tensor& values) {
  const auto* first = values.const_data_ptr<std::int64_t>();
  return {first, first + values.numel()};
}

}  // namespace

HaloPlan::HaloPlan(const Shards& owners, const std::vector<std::int64_t>& needed, Communicator& communicator,
                   std::string_view place)
    : own_(owners.range(communicator.rank())), alone_(communicator.size() == 1) {
  if (alone_) {
    communicator.planned(place, {own_.size(), 0});
    return;
  }
  const auto ranks = static_cast<std::size_t>(communicator.size());
  send_counts_.assign(ranks, 0);
  receive_counts_.assign(ranks, 0);
  for (const std::int64_t row : needed) {
    if (row >= own_.begin && row < own_.end) continue;
    halo_.push_back(row);
    ++receive_counts_[static_cast<std::size_t>(owners.owner(row))];
  }
  const std::vector<std::int64_t> one_each(ranks, 1);
  send_counts_ = to_vector(communicator.all_to_all(to_tensor(receive_counts_), one_each, one_each, place));
  send_ = to_vector(communicator.all_to_all(to_tensor(halo_), receive_counts_, send_counts_, place));
  for (std::int64_t& row : send_) row -= own_.begin;
  communicator.planned(place, {own_.size(), halo_rows()});
  send_index_ = to_tensor(send_);
}

void HaloPlan::move_to(at::Device device) {
  if (send_index_.defined()) send_index_ = send_index_.to(device);
}

std::int64_t HaloPlan::table_row(std::int64_t global) const {
  if (global >= own_.begin && global < own_.end) return global - own_.begin;
  const auto found = std::lower_bound(halo_.begin(), halo_.end(), global);
  if (found == halo_.end() || *found != global) {
    throw InternalFault("row " + std::to_string(global) + " is not in the halo");
  }
  return own_.size() + (found - halo_.begin());
}

at::Tensor HaloPlan::exchange_selected(const at::Tensor& rows, Communicator& communicator,
                                       std::string_view place) const {
  communicator.observer().entering(place);
  if (alone_) return rows.narrow(0, 0, 0);
  return communicator.all_to_all(rows, send_counts_, receive_counts_, place);
}

at::Tensor HaloPlan::exchange(const at::Tensor& own_rows, Communicator& communicator, std::string_view place) const {
  if (alone_) return exchange_selected(own_rows, communicator, place);
  return exchange_selected(own_rows.index_select(0, send_index_), communicator, place);
}

}  // namespace tradewind::dist
