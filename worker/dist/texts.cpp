#include "worker/dist/texts.h"

#include <ATen/ATen.h>

#include <cstring>

namespace tradewind::dist {
namespace {

at::Tensor bytes_of(const std::string& text) {
  at::Tensor bytes = at::empty({static_cast<std::int64_t>(text.size())}, at::kByte);
  if (!text.empty()) std::memcpy(bytes.data_ptr(), text.data(), text.size());
  return bytes;
}

}  // namespace

std::vector<std::string> gather_texts(Communicator& communicator, const std::string& own, std::string_view place) {
  if (communicator.size() == 1) return {own};
  const at::Tensor lengths =
      communicator.all_gather(at::tensor({static_cast<std::int64_t>(own.size())}, at::kLong),
                              std::vector<std::int64_t>(static_cast<std::size_t>(communicator.size()), 1), place);
  const auto* first = lengths.const_data_ptr<std::int64_t>();
  const std::vector<std::int64_t> counts(first, first + communicator.size());
  const at::Tensor gathered = communicator.all_gather(bytes_of(own), counts, place);
  std::vector<std::string> all;
  const char* from = static_cast<const char*>(gathered.const_data_ptr());
  for (const std::int64_t count : counts) {
    all.emplace_back(from, static_cast<std::size_t>(count));
    from += count;
  }
  return all;
}

std::string text_of_first(Communicator& communicator, const std::string& own, std::string_view place) {
  if (communicator.size() == 1) return own;
  at::Tensor length = at::tensor({static_cast<std::int64_t>(own.size())}, at::kLong);
  communicator.broadcast(length, 0, place);
  const auto size = length.item<std::int64_t>();
  at::Tensor bytes = communicator.rank() == 0 ? bytes_of(own) : at::empty({size}, at::kByte);
  if (size > 0) communicator.broadcast(bytes, 0, place);
  return {static_cast<const char*>(bytes.const_data_ptr()), static_cast<std::size_t>(size)};
}

}  // namespace tradewind::dist
