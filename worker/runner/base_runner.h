// What drives the model in a forecast: the named runner of the config (`runner: NAME`, or the base_runner of
// `parallel`). Built-in ones and those of shared libraries (TRADEWIND_PLUGINS) stand in one registry.
// A shared library says with TRADEWIND_BASE_RUNNERS what it brings in, and which build it was compiled for: it shares
// C++ objects with the worker, so that one for another version or another LibTorch is refused. Not thread-safe. Errors:
// UserError naming runner and option.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/headeronly/version.h>

#include <cstdint>
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
  // written and fed back. `context` is that of the model call; random numbers are drawn from its generator.
  virtual void after_step(const nn::StepContext& context, const std::vector<std::string>& variables, at::Tensor& y);
  // Whether a forecast can be taken up after any call of `model`: neither it nor after_step() keeps anything from one
  // to the next, and random numbers come from the context's generator alone. Asked when the run may be started again
  // (--restart).
  virtual bool keeps_nothing(const nn::Model& /*model*/) const { return false; }
};

class BaseRunners {
 public:
  using Factory = std::function<std::unique_ptr<BaseRunner>(const config::Json& options)>;
  // With the built-in runners: forecaster (auto, default, offset-forecaster), temporal-downscaler and no-model.
  BaseRunners();
  // `options`: every option the runner knows; any other is refused by name.
  void add(const std::string& name, std::vector<std::string> options, Factory factory);
  // Loads the libraries of a colon-separated list of absolute paths. UserError for one that is not absolute or was
  // built for another version; EnvironmentFault naming the one that does not load.
  void load(const std::string& libraries);
  std::unique_ptr<BaseRunner> make(const config::RunnerConfig& config) const;

 private:
  struct Entry {
    std::vector<std::string> options;
    Factory factory;
  };
  std::map<std::string, Entry> entries_;
};

// What a shared library tells of itself before anything of it is used.
constexpr std::uint32_t plugin_version = 3;
// Changes with most changes of what both sides lay out in memory.
constexpr std::uint32_t plugin_layout =
    sizeof(BaseRunners) + 31 * (sizeof(nn::ModelOptions) + 31 * sizeof(checkpoint::ModelDescription));

extern "C" {
struct PluginFacts {
  std::uint32_t version, layout;
  const char* torch_version;
  void (*enter)(BaseRunners& runners);
};
}
using PluginFunction = const PluginFacts* (*)();
constexpr const char* plugin_symbol = "tradewind_base_runners";

}  // namespace tradewind::runner

// Once in a shared library, outside of any namespace; `enter`: a function or lambda that takes BaseRunners& and adds to
// it.
#define TRADEWIND_BASE_RUNNERS(...)                                                                       \
  extern "C" const tradewind::runner::PluginFacts* tradewind_base_runners() {                             \
    static const tradewind::runner::PluginFacts facts = {                                                 \
        tradewind::runner::plugin_version, tradewind::runner::plugin_layout, TORCH_VERSION, __VA_ARGS__}; \
    return &facts;                                                                                        \
  }
