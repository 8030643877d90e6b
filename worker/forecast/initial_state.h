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
#include "worker/forecast/roles.h"
#include "worker/inputs/input.h"
#include "worker/report/reporter.h"

namespace tradewind::forecast {

// One Input per source; sources with the same config share one, so that its files are scanned once.
struct Sources {
  std::shared_ptr<inputs::Input> prognostic, constant, dynamic;
};

struct InitialState {
  Time date{};
  at::Tensor x;                                      // (input steps, rows, input variables), float32
  std::int64_t date_row = -1;                        // of x, which has that date; -1: the last
  std::shared_ptr<const inputs::GridPoints> points;  // of the whole grid
  bool has_nans = false;                             // on any rank
};

struct Grid {
  std::shared_ptr<const inputs::GridPoints> points;
  std::shared_ptr<inputs::ExpectedGrid> expected;  // for the inputs
};

// The grid's points: of the input, else of the checkpoint; checked against the checkpoint's.
Grid find_grid(inputs::Input& input, const checkpoint::Checkpoint& checkpoint, const checkpoint::Metadata& metadata,
               std::int64_t grid_rows);

// What of a dataset is to be read.
struct InitialRequest {
  const Sources& sources;
  const checkpoint::Checkpoint& checkpoint;
  const checkpoint::Metadata& metadata;  // of the dataset
  const Roles& roles;
  Time date{};          // of the forecast
  dist::Shards shards;  // of the dataset's rows
  std::optional<bool> allow_nans;
};

// Reads, computes, and checks everything the model's first input needs. Collective.
// Throws UserError for infinities, for NaN when allow_nans is false, and for what the inputs throw.
InitialState read_initial_state(const InitialRequest& request, dist::Communicator& communicator,
                                report::Reporter& reporter);

// Of a model whose calls read their input anew (TimeStepping::between_inputs): x of the call that starts at `start`,
// checked likewise. `points`: of the whole grid, as the first state has them. Collective.
at::Tensor read_window(const InitialRequest& request, Time start, const inputs::GridPoints& points,
                       dist::Communicator& communicator);

// This rank's part of the points.
forcings::Computed make_computed(const NamedColumns& one, const inputs::GridPoints& points, const dist::RowRange& rows);

}  // namespace tradewind::forecast
