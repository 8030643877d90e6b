// Parts of a forecast without files: an input whose values are known, a model of a line, an output that keeps what it
// gets.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/checkpoint/checkpoint.h"
#include "worker/dist/shards.h"
#include "worker/filters/chain.h"
#include "worker/forecast/forecast.h"
#include "worker/outputs/restartable.h"

namespace tradewind::testing {

using std::chrono::hours;

const Time fake_date = std::chrono::sys_days(std::chrono::year(2024) / 1 / 15) + hours(12);

// Whole numbers, another for each variable, time and row of the grid.
inline float fake_value(const std::string& variable, Time time, std::int64_t row) {
  const auto hour = std::chrono::duration_cast<hours>(time - fake_date).count();
  return static_cast<float>(1000 * (variable[0] - 'a' + 1) + 10 * hour + row);
}

class FakeInput : public inputs::Input {
 public:
  explicit FakeInput(std::int64_t points) {
    for (std::int64_t i = 0; i < points; ++i) {
      points_.latitudes.push_back(60.0 - 10.0 * static_cast<double>(i));
      points_.longitudes.push_back(20.0 * static_cast<double>(i));
    }
  }
  std::optional<Time> latest_date() override { return fake_date; }
  std::optional<inputs::GridPoints> grid_points(std::int64_t) override { return points_; }
  at::Tensor read(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                  const dist::RowRange& rows) override {
    at::Tensor values =
        at::empty({static_cast<std::int64_t>(dates.size()), rows.size(), static_cast<std::int64_t>(variables.size())},
                  at::kFloat);
    auto access = values.accessor<float, 3>();
    for (std::size_t d = 0; d < dates.size(); ++d) {
      reads.push_back(dates[d]);
      for (std::int64_t r = 0; r < rows.size(); ++r)
        for (std::size_t v = 0; v < variables.size(); ++v)
          access[static_cast<std::int64_t>(d)][r][static_cast<std::int64_t>(v)] =
              fake_value(variables[v], dates[d], rows.begin + r);
    }
    return values;
  }

  std::vector<Time> reads;

 private:
  inputs::GridPoints points_;
};

// What outputs were given, in order; of one rank.
struct Record {
  std::vector<outputs::State> states;
  std::vector<std::string> events;  // "prepare N", "write H", "settle", "resume N", "close"
  outputs::Due due;
};

class FakeOutput : public outputs::Output, public outputs::Restartable {
 public:
  explicit FakeOutput(Record& record, Duration every = hours(6)) : record_(record), every_(every) {}
  bool wants(Duration step) const override { return step % every_ == Duration::zero(); }
  std::vector<std::string> prepare(const outputs::Outlook& outlook) override {
    record_.due = outlook.due([this](Duration step) { return wants(step); });
    record_.events.push_back("prepare " + std::to_string(record_.due.count));
    return {"a warning"};
  }
  void write(const outputs::State& state) override {
    record_.states.push_back(state);
    record_.states.back().values = state.values.clone();
    record_.events.push_back("write " + std::to_string(state.step / hours(1)));
  }
  void close() override { record_.events.emplace_back("close"); }
  std::vector<std::string> files() const override { return {"a file"}; }
  outputs::Settled settle() override {
    record_.events.emplace_back("settle");
    return {.told = {{"states", record_.states.size()}}, .kept = {}};
  }
  void resume(outputs::Settled settled) override {
    record_.states.resize(settled.told.at("states").get<std::size_t>());
    record_.events.push_back("resume " + std::to_string(record_.states.size()));
  }
  outputs::OutputFigures figures() const override { return {.bytes = 100, .most_pending_bytes = 7}; }

 private:
  Record& record_;
  Duration every_;
};

// Input columns: a (prognostic), f (forcing that is read), cos_local_time (computed). Two input times, 6 h apart.
inline checkpoint::Checkpoint fake_checkpoint() {
  checkpoint::Checkpoint checkpoint;
  checkpoint::Metadata& metadata = checkpoint.metadata.emplace_back();
  metadata.variable_order = metadata.input = {"a", "f", "cos_local_time"};
  metadata.prognostic = {"a"};
  metadata.forcing = {"f", "cos_local_time"};
  for (const std::string& name : metadata.input) metadata.variables[name].name = name;
  metadata.variables["cos_local_time"].computed_forcing = true;
  metadata.time.input_offsets = {hours(-6), hours(0)};
  return checkpoint;
}

const std::vector<std::string> fake_output_variables = {"a", "f seen", "time seen", "noise"};

// a of a step is the sum of a at the two before; the forcings are those of the newest input; noise is drawn anew for
// every step, for the whole grid.
class FakeModel : public nn::Model {
 public:
  FakeModel(std::vector<std::int64_t> points, std::int64_t output_steps, const dist::Communicator& communicator)
      : output_steps_(output_steps) {
    for (const std::int64_t count : points)
      shards_.push_back({count, dist::Shards(count, communicator.size()).range(communicator.rank())});
  }
  dist::RowRange rows(std::size_t dataset) const override { return shards_.at(dataset).second; }
  bool keeps_nothing() const override { return true; }
  std::vector<at::Tensor> predict(const std::vector<at::Tensor>& x, const nn::StepContext& context) override {
    contexts.push_back(context);
    std::vector<at::Tensor> y;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto& [points, rows] = shards_.at(i);
      at::Tensor one = at::zeros({output_steps_, rows.size(), 4}, at::kFloat);
      at::Tensor before = x[i].select(0, 0).select(1, 0), latest = x[i].select(0, 1).select(1, 0);
      for (std::int64_t step = 0; step < output_steps_; ++step) {
        at::Tensor now = before + latest;
        one.select(0, step).select(1, 0).copy_(now);
        for (const std::int64_t forcing : {1, 2})
          one.select(0, step).select(1, forcing).copy_(x[i].select(0, 1).select(1, forcing));
        if (context.random.defined())
          one.select(0, step).select(1, 3).copy_(
              at::randn({points}, context.random, at::kFloat).slice(0, rows.begin, rows.end));
        before = latest;
        latest = now;
      }
      y.push_back(only_read.contains(i) ? at::Tensor() : one);
    }
    return y;
  }

  std::vector<nn::StepContext> contexts;
  std::map<std::size_t, bool> only_read;  // datasets of which nothing is made

 private:
  std::int64_t output_steps_;
  std::vector<std::pair<std::int64_t, dist::RowRange>> shards_;  // points, rows of this rank
};

// Of a model with one output step, 6 h on, or two.
inline forecast::DatasetSteps fake_steps(std::int64_t output_steps) {
  if (output_steps == 1) return {{hours(-6), hours(0)}, {hours(6)}, {{{1, 0}}, {{0, 1}}}};
  return {{hours(-6), hours(0)}, {hours(6), hours(12)}, {{}, {{0, 0}, {1, 1}}}};
}

// What filters know of the model's variables.
inline const checkpoint::Metadata& fake_described() {
  static const checkpoint::Metadata metadata = [] {
    checkpoint::Metadata one;
    one.output = fake_output_variables;
    return one;
  }();
  return metadata;
}

// A dataset of so many points, whose states go to `record`.
inline forecast::DatasetParts fake_parts(std::int64_t points, Record& record, dist::Communicator& communicator,
                                         report::Reporter& reporter,
                                         const std::vector<config::FilterConfig>& filter_configs = {},
                                         Duration every = hours(6)) {
  const auto input = std::make_shared<FakeInput>(points);
  const forecast::Sources sources{input, input, input};
  const checkpoint::Checkpoint checkpoint = fake_checkpoint();
  const dist::Shards shards(points, communicator.size());
  forecast::DatasetParts parts{.shards = shards, .rank = communicator.rank()};
  parts.output_variables = fake_output_variables;
  parts.prognostic_columns = {{0, 0}};
  parts.roles = forecast::assign_roles(checkpoint.metadata.front());
  parts.dynamic = input;
  parts.initial = forecast::read_initial_state({.sources = sources,
                                                .checkpoint = checkpoint,
                                                .metadata = checkpoint.metadata.front(),
                                                .roles = parts.roles,
                                                .date = fake_date,
                                                .shards = shards,
                                                .allow_nans = std::nullopt},
                                               communicator, reporter);
  parts.initial_categories = {"prognostics", "dynamic_forcings"};
  parts.delivery = std::make_unique<forecast::Delivery>(
      std::make_unique<FakeOutput>(record, every),
      filters::Chain(filter_configs, {fake_described(), communicator.rank()}), communicator);
  return parts;
}

}  // namespace tradewind::testing
