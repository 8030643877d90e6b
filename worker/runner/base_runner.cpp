#include "worker/runner/base_runner.h"

#include <dlfcn.h>

#include <algorithm>
#include <sstream>
#include <string_view>

#include "common/errors.h"
#include "worker/runner/no_model.h"

namespace tradewind::runner {
namespace {

class Forecaster : public BaseRunner {
 public:
  bool keeps_nothing(const nn::Model& model) const override { return model.keeps_nothing(); }
};

class NoModelRunner : public Forecaster {
 public:
  std::unique_ptr<nn::Model> make_model(const checkpoint::ModelDescription& description, const nn::ModelOptions&,
                                        dist::Communicator& communicator) override {
    return make_no_model(description, communicator);
  }
};

constexpr const char* plugins_variable = "TRADEWIND_PLUGINS";
constexpr const char* build_again = "build the plugin against the headers and the LibTorch of this version";

void* open_plugin(const std::string& path, int mode) {
  void* library = ::dlopen(path.c_str(), mode | RTLD_LOCAL);  // never closed: its runners live on
  if (library == nullptr)
    throw EnvironmentFault(std::string("cannot load the plugin: ") + ::dlerror(), plugins_variable,
                           "give the absolute path of a shared library built for this version");
  return library;
}

const PluginFacts& facts_of(void* library, const std::string& path) {
  const auto function = reinterpret_cast<PluginFunction>(::dlsym(library, plugin_symbol));
  const PluginFacts* facts = function != nullptr ? function() : nullptr;
  if (facts == nullptr)
    throw UserError("the plugin " + path + " has no function " + plugin_symbol, plugins_variable,
                    "say with TRADEWIND_BASE_RUNNERS (base_runner.h) what it brings in");
  if (facts->version != plugin_version)
    throw UserError("the plugin " + path + " was built for version " + std::to_string(facts->version) +
                        " of the interface of base runners, this worker has version " + std::to_string(plugin_version),
                    plugins_variable, build_again);
  if (std::string_view(facts->torch_version) != TORCH_VERSION)
    throw UserError(
        "the plugin " + path + " was built for LibTorch " + facts->torch_version + ", this worker for " + TORCH_VERSION,
        plugins_variable, build_again);
  if (facts->layout != plugin_layout)
    throw UserError("the plugin " + path + " was built against other headers than this worker", plugins_variable,
                    build_again);
  return *facts;
}

// Registry names treat `_` and `-` alike.
std::string normalised(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

}  // namespace

std::unique_ptr<nn::Model> BaseRunner::make_model(const checkpoint::ModelDescription& description,
                                                  const nn::ModelOptions& options, dist::Communicator& communicator) {
  return nn::make_model(description, options, communicator);
}

void BaseRunner::after_step(const nn::StepContext&, const std::vector<std::string>&, at::Tensor&) {}

BaseRunners::BaseRunners() {
  for (const char* name : {"auto", "default", "forecaster", "offset-forecaster", "temporal-downscaler"}) {
    add(name, {}, [](const config::Json&) { return std::make_unique<Forecaster>(); });
  }
  add("no-model", {}, [](const config::Json&) { return std::make_unique<NoModelRunner>(); });
}

void BaseRunners::add(const std::string& name, std::vector<std::string> options, Factory factory) {
  entries_[normalised(name)] = {std::move(options), std::move(factory)};
}

void BaseRunners::load(const std::string& libraries) {
  std::istringstream list(libraries);
  for (std::string path; std::getline(list, path, ':');) {
    if (path.empty()) continue;
    if (path.front() != '/')
      throw UserError("the path of the plugin '" + path + "' is not absolute", plugins_variable,
                      "write the whole path: what is found must not depend on the current folder");
    // What it says of itself is asked before what it needs of the worker is looked for.
    void* library = open_plugin(path, RTLD_LAZY);
    const PluginFacts& facts = facts_of(library, path);
    open_plugin(path, RTLD_NOW);
    facts.enter(*this);
  }
}

std::unique_ptr<BaseRunner> BaseRunners::make(const config::RunnerConfig& config) const {
  const auto found = entries_.find(normalised(config.name));
  if (found == entries_.end()) {
    std::string known;
    for (const auto& [name, entry] : entries_) known += (known.empty() ? "" : ", ") + name;
    throw UserError("runner '" + config.name + "' is not known; known are " + known, "runner",
                    "use one of these, or name the library that brings it in TRADEWIND_PLUGINS");
  }
  const std::vector<std::string>& options = found->second.options;
  for (const auto& [name, value] : config.base_options.items()) {
    if (std::find(options.begin(), options.end(), name) != options.end()) continue;
    std::string known;
    for (const std::string& option : options) known += (known.empty() ? "" : ", ") + option;
    throw UserError("option '" + name + "' is not known to the runner '" + config.name + "'", "runner." + name,
                    known.empty() ? "this runner takes no options" : "its options are " + known);
  }
  return found->second.factory(config.base_options);
}

}  // namespace tradewind::runner
