// What ranks say to each other while they compute: the only way a layer, an input or an output reaches another rank.
// Every call is collective: all ranks make it, in the same order, with the same `place` (layer and phase, for reports).
// Tensors are dense, any dtype, rows in dimension 0. Not thread-safe: one thread per communicator.
// A place begins with its phase, one word ("encoder halo"). Calls are numbered from 1 and counted.
// Errors: ConnectionFault naming place and number when a peer is lost or a timeout expires; every later call fails too.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/errors.h"
#include "worker/dist/observer.h"
#include "worker/dist/statistics.h"

namespace tradewind::dist {

// A peer was lost or did not answer in time: seldom the first cause of a run's end.
class ConnectionFault : public EnvironmentFault {
 public:
  using EnvironmentFault::EnvironmentFault;
};

// Rows on their way. Dropping it does not call them back: the peers still get theirs.
class PendingRows {
 public:
  virtual ~PendingRows() = default;
  // The rows received, by rank; once.
  virtual at::Tensor wait() = 0;
};

class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;

  // `rows` holds the rows for rank 0, then for rank 1, ...: send_counts[r] each. Returns the rows received, by rank.
  virtual at::Tensor all_to_all(const at::Tensor& rows, const std::vector<std::int64_t>& send_counts,
                                const std::vector<std::int64_t>& receive_counts, std::string_view place) = 0;
  // The same without waiting, so that work which needs no foreign row can be done meanwhile. `rows` must not change
  // until the handle is waited for; other calls may be made in between. Unless overridden, it waits at once.
  virtual std::unique_ptr<PendingRows> start_all_to_all(const at::Tensor& rows,
                                                        const std::vector<std::int64_t>& send_counts,
                                                        const std::vector<std::int64_t>& receive_counts,
                                                        std::string_view place);
  // Every rank's rows, by rank; counts[r] rows of rank r.
  virtual at::Tensor all_gather(const at::Tensor& rows, const std::vector<std::int64_t>& counts,
                                std::string_view place) = 0;
  // In place; half types are summed in float32, bool is "any". The same bits on every rank.
  virtual void all_reduce_sum(at::Tensor& values, std::string_view place) = 0;
  virtual void broadcast(at::Tensor& values, int root, std::string_view place) = 0;
  virtual void barrier(std::string_view place) = 0;

  virtual const Statistics& statistics() const { return statistics_; }
  // Notes the rows of a planned halo, for the report.
  virtual void planned(std::string_view place, const RowCounts& rows) { statistics_.plan(place, rows); }
  // Brings Traffic::waiting up to date. Collective.
  virtual void settle_waits() {}
  // Who is told where this rank is; layers that exchange no rows say it themselves.
  virtual Observer& observer() const { return nobody(); }

 protected:
  Statistics statistics_;
};

// One rank: every call is a copy or nothing.
std::unique_ptr<Communicator> make_single_communicator();

}  // namespace tradewind::dist
