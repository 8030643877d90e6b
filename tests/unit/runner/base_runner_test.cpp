#include "worker/runner/base_runner.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/errors.h"

using namespace tradewind;
using namespace tradewind::runner;

namespace {

void load(const std::string& path) { BaseRunners().load(path); }
std::string other(const std::string& kind) { return OTHER_PLUGINS "/other_plugin_" + kind + ".so"; }

class Model : public nn::Model {
 public:
  explicit Model(bool keeps_nothing) : keeps_nothing_(keeps_nothing) {}
  dist::RowRange rows(std::size_t) const override { return {}; }
  std::vector<at::Tensor> predict(const std::vector<at::Tensor>& x, const nn::StepContext&) override { return x; }
  bool keeps_nothing() const override { return keeps_nothing_; }

 private:
  bool keeps_nothing_;
};

class Silent : public nn::Model {
 public:
  dist::RowRange rows(std::size_t) const override { return {}; }
  std::vector<at::Tensor> predict(const std::vector<at::Tensor>& x, const nn::StepContext&) override { return x; }
};

}  // namespace

TEST_CASE("a plugin of another build is refused before anything of it runs, with what was found and what it is for") {
  const std::string version = std::to_string(plugin_version), next = std::to_string(plugin_version + 1);
  CHECK_THROWS_WITH_AS(load(other("version")),
                       doctest::Contains(("built for version " + next +
                                          " of the interface of base runners, this worker "
                                          "has version " +
                                          version)
                                             .c_str()),
                       UserError);
  CHECK_THROWS_WITH_AS(load(other("torch")),
                       doctest::Contains("built for LibTorch 1.0.0, this worker for " TORCH_VERSION), UserError);
  CHECK_THROWS_WITH_AS(load(other("layout")), doctest::Contains("other headers"), UserError);
  CHECK_THROWS_WITH_AS(load(other("symbol")), doctest::Contains("has no function tradewind_base_runners"), UserError);
}

TEST_CASE("the path of a plugin is absolute, and one that is not there is named") {
  for (const char* path : {"plugin.so", "./plugin.so", "../plugin.so:/x.so"})
    CHECK_THROWS_WITH_AS(load(path), doctest::Contains("is not absolute"), UserError);
  CHECK_THROWS_WITH_AS(load("/nowhere/plugin.so"), doctest::Contains("/nowhere/plugin.so"), EnvironmentFault);
}

TEST_CASE("whether a forecast can be taken up again is the model's word, and silence is a no") {
  config::RunnerConfig runner;
  runner.name = "forecaster";
  const auto forecaster = BaseRunners().make(runner);
  CHECK(forecaster->keeps_nothing(Model(true)));
  CHECK_FALSE(forecaster->keeps_nothing(Model(false)));
  CHECK_FALSE(forecaster->keeps_nothing(Silent()));
  class Other : public BaseRunner {};
  CHECK_FALSE(Other().keeps_nothing(Model(true)));
}
