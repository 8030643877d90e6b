// What a config names, opened and put together to a forecast. Collective. Errors: those of checkpoint, model, inputs
// and outputs.
#pragma once

#include <ATen/core/Generator.h>

#include <functional>
#include <memory>
#include <vector>

#include "common/checkpoint/checkpoint.h"
#include "common/config/run_config.h"
#include "worker/device/device.h"
#include "worker/dist/communicator.h"
#include "worker/forecast/forecast.h"
#include "worker/outputs/ordered_file.h"
#include "worker/report/reporter.h"
#include "worker/runner/base_runner.h"
#include "worker/runner/environment.h"

namespace tradewind::runner {

// What forecasts of a config share, and refer to: it must outlive them.
struct Opened {
  std::unique_ptr<const checkpoint::Checkpoint> checkpoint;
  Settings settings;
  // Of each dataset, in the model's order: metadata as outputs know the variables, with the config's typed_variables on
  // top; what comes from where; the config with the parts that are its own.
  std::vector<checkpoint::Metadata> described;
  std::vector<forecast::Roles> roles;
  std::vector<config::RunConfig> configs;
  at::Generator random;
  std::unique_ptr<BaseRunner> runner;
  std::unique_ptr<nn::Model> model;  // driven by the runner
};
Opened open_model(const config::RunConfig& config, const Settings& settings, const device::Device& device,
                  dist::Communicator& communicator, report::Reporter& reporter);

// Where the forecast begins: the sources of each dataset and what was read of them.
struct Beginning {
  forecast::Sources sources;
  dist::Shards shards;  // of the dataset's grid
  forecast::InitialState initial;
  std::function<at::Tensor(Time start)> reread;  // see DatasetParts; refers to what this was made with
};
std::vector<Beginning> read_beginning(const config::RunConfig& config, const Opened& opened,
                                      dist::Communicator& communicator, report::Reporter& reporter);

// `opened` must stay where it is while the forecast is there.
forecast::Forecast open_forecast(const config::RunConfig& config, const Opened& opened,
                                 std::vector<Beginning> beginning, const outputs::GivenStreams& streams,
                                 dist::Communicator& communicator);

}  // namespace tradewind::runner
