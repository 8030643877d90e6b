// What drives the model in a forecast: the named runner of the config (`runner: NAME`, or the base_runner of
// `parallel`). Built-in ones and those of shared libraries (TRADEWIND_PLUGINS) stand in one registry.
// A shared library exports `extern "C" void tradewind_register(tradewind::runner::BaseRunners&)` and is bound to the
// build it was compiled for. Not thread-safe. Errors: UserError naming runner and option.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/config/run_config.h"
#include "common/dates.h"
#include "worker/nn/model.h"

namespace tradewind::runner {

class BaseRunner {
 public:
  virtual ~BaseRunner() = default;
  // The model whose predict() makes the forecast; by default the checkpoint's.
  virtual std::unique_ptr<nn::Model> make_model(const checkpoint::ModelDescription& description,
                                                const nn::ModelOptions& options, dist::Communicator& communicator);
  // May change y (output steps, rows of this rank, output variables), raw units, on the model's device, before it is
  // written and fed back. `start` is the date the model call started from.
  virtual void after_step(Time start, const std::vector<std::string>& variables, at::Tensor& y);
  // Whether a forecast can be taken up after any model call: nothing is kept from one to the next, and no random
  // numbers are drawn. Asked when the run may be started again (--restart).
  virtual bool keeps_nothing() const { return false; }
};

class BaseRunners {
 public:
  using Factory = std::function<std::unique_ptr<BaseRunner>(const config::Json& options)>;
  // With the built-in runners: forecaster (auto, default, offset-forecaster) and no-model.
  BaseRunners();
  // `options`: every option the runner knows; any other is refused by name.
  void add(const std::string& name, std::vector<std::string> options, Factory factory);
  // Loads the libraries of a colon-separated list. EnvironmentFault naming the one that does not load.
  void load(const std::string& libraries);
  std::unique_ptr<BaseRunner> make(const config::RunnerConfig& config) const;

 private:
  struct Entry {
    std::vector<std::string> options;
    Factory factory;
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace tradewind::runner
