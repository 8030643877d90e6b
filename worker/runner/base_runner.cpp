#include "worker/runner/base_runner.h"

#include <dlfcn.h>

#include <algorithm>
#include <sstream>

#include "common/errors.h"
#include "worker/runner/no_model.h"

namespace tradewind::runner {
namespace {

class Forecaster : public BaseRunner {
 public:
  bool keeps_nothing() const override { return true; }
};

class NoModelRunner : public Forecaster {
 public:
  std::unique_ptr<nn::Model> make_model(const checkpoint::ModelDescription& description, const nn::ModelOptions&,
                                        dist::Communicator& communicator) override {
    return make_no_model(description, communicator);
  }
};

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

void BaseRunner::after_step(Time, const std::vector<std::string>&, at::Tensor&) {}

BaseRunners::BaseRunners() {
  for (const char* name : {"auto", "default", "forecaster", "offset-forecaster"}) {
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
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      throw EnvironmentFault(std::string("cannot load the plugin: ") + dlerror(), "TRADEWIND_PLUGINS",
                             "give the path of a shared library built for this version");
    }
    using Register = void (*)(BaseRunners&);
    const auto enter = reinterpret_cast<Register>(dlsym(library, "tradewind_register"));
    if (enter == nullptr) {
      throw EnvironmentFault("the plugin " + path + " has no function tradewind_register", "TRADEWIND_PLUGINS",
                             "export extern \"C\" void tradewind_register(tradewind::runner::BaseRunners&)");
    }
    enter(*this);
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
