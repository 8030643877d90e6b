#include "worker/runner/driven_model.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <optional>

using namespace tradewind;
using namespace tradewind::runner;

namespace {

// Three datasets, of which nothing is made of the second.
class Model : public nn::Model {
 public:
  dist::RowRange rows(std::size_t dataset) const override { return {static_cast<std::int64_t>(dataset), 10}; }
  std::vector<at::Tensor> predict(const std::vector<at::Tensor>& x, const nn::StepContext&) override {
    return {x[0] + 1, at::Tensor(), x[2] + 2};
  }
  bool keeps_nothing() const override { return true; }
};

class Runner : public BaseRunner {
 public:
  void after_step(const nn::StepContext& context, const std::vector<std::string>& variables, at::Tensor& y) override {
    seen.push_back(variables.front());
    y = y * 10 + context.call;
  }
  bool keeps_nothing(const nn::Model& model) const override { return answer.value_or(model.keeps_nothing()); }
  std::vector<std::string> seen;
  std::optional<bool> answer;
};

}  // namespace

TEST_CASE("the runner sees what the model made of each dataset, by its variables, and may change it") {
  Runner runner;
  const auto driven = make_driven_model(std::make_unique<Model>(), runner, {{"a"}, {"b"}, {"c"}});
  const at::Tensor x = at::ones({2}, at::kFloat);
  const auto y = driven->predict({x, x, x}, {.call = 3, .valid_time = {}, .random = {}});
  REQUIRE(y.size() == 3);
  CHECK(at::equal(y[0], at::full({2}, 23.F)));
  CHECK_FALSE(y[1].defined());
  CHECK(at::equal(y[2], at::full({2}, 33.F)));
  CHECK(runner.seen == std::vector<std::string>{"a", "c"});
  CHECK(driven->rows(2) == dist::RowRange{2, 10});
}

TEST_CASE("whether it keeps something is the runner's word") {
  Runner runner;
  const auto driven = make_driven_model(std::make_unique<Model>(), runner, {{}, {}, {}});
  CHECK(driven->keeps_nothing());
  runner.answer = false;
  CHECK_FALSE(driven->keeps_nothing());
}
