// The commands of a worker. Each returns when its work is whole and throws tradewind::Error otherwise.
#pragma once

#include <string>

#include "common/config/run_config.h"
#include "worker/device/device.h"
#include "worker/dist/communicator.h"
#include "worker/outputs/ordered_file.h"
#include "worker/report/reporter.h"
#include "worker/runner/environment.h"

namespace tradewind::runner {

// How a run that may be started again keeps what a further attempt needs (restart_point.h).
struct Restart {
  std::string folder;   // empty: it may not be started again
  bool resume = false;  // go on from the point that is there, if there is one of this run
  std::string run_id;   // of all attempts of this run, and of no other
  std::string config;   // the same for the same merged config
};

// The forecast that the config describes, computed on `device`. Relative paths in it are relative to the current
// folder. `streams`: those of them that were open before this process.
void run_forecast(const config::RunConfig& config, const Settings& settings, const device::Device& device,
                  dist::Communicator& communicator, report::Reporter& reporter, const Restart& restart = {},
                  const outputs::GivenStreams& streams = {});

// One model call on raw tensors: reads `x` (batch, time, grid, variables) of the .npz, writes `y` in the reference's
// shape ((batch, ensemble, grid, variables), with a time axis after batch where the model has one). Of an ensemble
// model the .npz may also hold `noise`, the standard normal numbers of a call, else those of seed 0 are taken; and
// `fcstep`: other than 0 it means a later call of a forecast, and 0 that a later call with the same noise is wanted
// beside the first, as `y_fcstep1`. Without `fcstep` the call is the first.
struct PredictOptions {
  std::string checkpoint, input, output;
  std::optional<Precision> precision;  // default f32
};
void run_predict(const PredictOptions& options, const device::Device& device, dist::Communicator& communicator,
                 report::Reporter& reporter);

}  // namespace tradewind::runner
