// Changes between two ways of holding rows of attention heads: every rank some rows of all heads, or every rank all
// rows of some heads (DeepSpeed-Ulysses, Jacobs et al. 2023). Immutable.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "worker/dist/communicator.h"
#include "worker/dist/shards.h"

namespace tradewind::nn {

class HeadSplit {
 public:
  HeadSplit(std::int64_t heads, std::int64_t head_size, const dist::Communicator& communicator)
      : head_size_(head_size), heads_(heads, communicator.size()), own_(heads_.range(communicator.rank())) {}

  // Heads of this rank; none when there are fewer heads than ranks.
  dist::RowRange heads() const { return own_; }
  // rows (counts[this rank], all heads * head_size) of every rank become (sum of counts, own heads * head_size), by
  // rank. Collective.
  at::Tensor by_heads(const at::Tensor& rows, const std::vector<std::int64_t>& counts, dist::Communicator& communicator,
                      std::string_view place) const;
  // The way back: split as by_heads gives it; `rows` is written.
  void by_rows(const at::Tensor& split, const std::vector<std::int64_t>& counts, at::Tensor rows,
               dist::Communicator& communicator, std::string_view place) const;

 private:
  std::int64_t head_size_;
  dist::Shards heads_;
  dist::RowRange own_;
};

}  // namespace tradewind::nn
