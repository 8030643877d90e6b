// What ranks say to each other while they compute: the only way a layer, an input or an output reaches another rank.
// Every call is collective: all ranks make it, in the same order, with the same `place` (layer and phase, for reports).
// Tensors are dense, any dtype, rows in dimension 0. Not thread-safe: one thread per communicator.
// Errors: EnvironmentFault naming the place when a peer is lost or a timeout expires.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tradewind::dist {

class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;

  // `rows` holds the rows for rank 0, then for rank 1, ...: send_counts[r] each. Returns the rows received, by rank.
  virtual at::Tensor all_to_all(const at::Tensor& rows, const std::vector<std::int64_t>& send_counts,
                                const std::vector<std::int64_t>& receive_counts, std::string_view place) = 0;
  // Every rank's rows, by rank; counts[r] rows of rank r.
  virtual at::Tensor all_gather(const at::Tensor& rows, const std::vector<std::int64_t>& counts,
                                std::string_view place) = 0;
  virtual void all_reduce_sum(at::Tensor& values, std::string_view place) = 0;
  virtual void broadcast(at::Tensor& values, int root, std::string_view place) = 0;
  virtual void barrier(std::string_view place) = 0;
};

// One rank: every call is a copy or nothing.
std::unique_ptr<Communicator> make_single_communicator();

}  // namespace tradewind::dist
