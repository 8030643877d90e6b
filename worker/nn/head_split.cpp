#include "worker/nn/head_split.h"

#include <ATen/ATen.h>

namespace tradewind::nn {
namespace {

// Counted in rows of one head.
std::vector<std::int64_t> times(const std::vector<std::int64_t>& counts, std::int64_t factor) {
  std::vector<std::int64_t> out;
  out.reserve(counts.size());
  for (const std::int64_t count : counts) out.push_back(count * factor);
  return out;
}

}  // namespace

at::Tensor HeadSplit::by_heads(const at::Tensor& rows, const std::vector<std::int64_t>& counts,
                               dist::Communicator& communicator, std::string_view place) const {
  const at::Tensor heads = rows.view({rows.size(0), heads_.rows(), head_size_});
  at::Tensor send = at::empty({rows.size(0) * heads_.rows(), head_size_}, rows.options());
  std::int64_t begin = 0;
  for (int rank = 0; rank < heads_.ranks(); ++rank) {
    const dist::RowRange range = heads_.range(rank);
    const std::int64_t size = rows.size(0) * range.size();
    send.narrow(0, begin, size)
        .view({rows.size(0), range.size(), head_size_})
        .copy_(heads.narrow(1, range.begin, range.size()));
    begin += size;
  }
  const at::Tensor received =
      communicator.all_to_all(send, times(heads_.sizes(), rows.size(0)), times(counts, own_.size()), place);
  std::int64_t total = 0;
  for (const std::int64_t count : counts) total += count;
  return received.view({total, own_.size() * head_size_});
}

void HeadSplit::by_rows(const at::Tensor& split, const std::vector<std::int64_t>& counts, at::Tensor rows,
                        dist::Communicator& communicator, std::string_view place) const {
  const at::Tensor send = split.view({split.size(0) * own_.size(), head_size_});
  const at::Tensor received =
      communicator.all_to_all(send, times(counts, own_.size()), times(heads_.sizes(), rows.size(0)), place);
  at::Tensor heads = rows.view({rows.size(0), heads_.rows(), head_size_});
  std::int64_t begin = 0;
  for (int rank = 0; rank < heads_.ranks(); ++rank) {
    const dist::RowRange range = heads_.range(rank);
    const std::int64_t size = rows.size(0) * range.size();
    heads.narrow(1, range.begin, range.size())
        .copy_(received.narrow(0, begin, size).view({rows.size(0), range.size(), head_size_}));
    begin += size;
  }
}

}  // namespace tradewind::nn
