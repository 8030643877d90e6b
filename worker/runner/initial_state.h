// The first input of the model on this rank's rows, and the fields the initial state is written from.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/checkpoint/checkpoint.h"
#include "worker/dist/communicator.h"
#include "worker/dist/shards.h"
#include "worker/forcings/computed.h"
#include "worker/inputs/input.h"
#include "worker/report/reporter.h"
#include "worker/runner/roles.h"

namespace tradewind::runner {

// One Input per source; sources with the same config share one, so that its files are scanned once.
struct Sources {
  std::shared_ptr<inputs::Input> prognostic, constant, dynamic;
};

struct InitialState {
  Time date{};
  at::Tensor x;                                      // (input steps, rows, input variables), float32
  std::shared_ptr<const inputs::GridPoints> points;  // of the whole grid
  bool has_nans = false;                             // on any rank
};

struct Grid {
  std::shared_ptr<const inputs::GridPoints> points;
  std::shared_ptr<inputs::ExpectedGrid> expected;  // for the inputs
};

// The grid's points: of the input, else of the checkpoint; checked against the checkpoint's.
Grid find_grid(inputs::Input& input, const checkpoint::Checkpoint& checkpoint, std::int64_t grid_rows);

// Reads, computes, and checks everything the model's first input needs.
// Throws UserError for infinities, for NaN when allow_nans is false, and for what the inputs throw.
InitialState read_initial_state(const Sources& sources, const checkpoint::Checkpoint& checkpoint, const Roles& roles,
                                Time date, const dist::Shards& shards, const std::optional<bool>& allow_nans,
                                dist::Communicator& communicator, report::Reporter& reporter);

// Writes fields (variables, rows) of one date into columns of row `time` of x.
void put_columns(at::Tensor& x, std::int64_t time, const std::vector<std::int64_t>& columns, const at::Tensor& fields);
// The same as it is done off the CPU.
void put_columns_by_index(at::Tensor& x, std::int64_t time, const std::vector<std::int64_t>& columns,
                          const at::Tensor& fields);

// This rank's part of the points.
forcings::Computed make_computed(const Group& group, const inputs::GridPoints& points, const dist::RowRange& rows);

}  // namespace tradewind::runner
