// One dataset of a forecast: its part of the model's input, how it moves on from call to call, and where its states go.
// Knows neither the model nor other datasets. Collective where inputs and outputs are. Not thread-safe. Errors: those
// of its inputs, filters and output.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "worker/forecast/boundary.h"
#include "worker/forecast/delivery.h"
#include "worker/forecast/initial_state.h"
#include "worker/forecast/pipeline.h"
#include "worker/forecast/plan.h"
#include "worker/forecast/restart_point.h"
#include "worker/forecast/roles.h"

namespace tradewind::forecast {

struct DatasetParts {
  std::vector<std::string> output_variables;                              // columns of y; none: it is only read
  std::vector<std::pair<std::int64_t, std::int64_t>> prognostic_columns;  // (column of y, column of x)
  Roles roles;
  std::shared_ptr<inputs::Input> dynamic;  // of dynamic forcings; not used when there are none
  std::optional<Boundary> boundary;        // of a limited area; none: the model forecasts all rows
  dist::Shards shards;                     // of its rows
  int rank = 0;
  InitialState initial;
  std::vector<std::string> initial_categories;  // what of it is written: prognostics, constant_forcings, ...
  std::vector<std::int64_t> output_order;  // columns of y in the order in which states have them; empty: as they are
  // x of the call that starts then, when every call reads its input anew; else none.
  std::function<at::Tensor(Time start)> reread;
  std::unique_ptr<Delivery> delivery;
};

class DatasetRun {
 public:
  // `device`: the model's.
  DatasetRun(DatasetParts parts, at::Device device);

  // (input steps, rows, input variables) of the next call, on the device.
  const at::Tensor& x() const { return x_; }
  dist::RowRange rows() const { return rows_; }

  // Before the first call, one of the two. begin() shows the output what will come, `number` being the dataset's in the
  // plan, delivers the state of step 0, and returns warnings, the same on every rank.
  std::vector<std::string> begin(const Plan& plan, std::size_t number);
  void resume(DatasetPoint point);

  // After a call, in this order. y: (output steps, rows, output variables), undefined when the dataset is only read.
  void add_states(const Plan& plan, const DatasetCall& call, const at::Tensor& y);
  void advance(const Plan& plan, const DatasetSteps& steps, const DatasetCall& call, const at::Tensor& y);
  void hand_on(bool last) { last ? pipeline_.drain() : pipeline_.turn(); }

  // What resume() needs, when every state so far is on disk of this rank.
  DatasetPoint settle();
  // Returns when everything is on disk under its final name.
  void close();

  const Delivery& delivery() const { return *delivery_; }

 private:
  std::vector<std::string> output_variables_;  // in the order of the states
  at::Tensor output_order_;                    // columns of y in that order; undefined: as they are
  std::vector<std::pair<std::int64_t, std::int64_t>> prognostic_columns_;
  Roles roles_;
  std::shared_ptr<inputs::Input> dynamic_;
  std::optional<Boundary> boundary_;
  dist::RowRange rows_;
  std::optional<forcings::Computed> computed_;
  std::function<at::Tensor(Time start)> reread_;
  std::unique_ptr<Delivery> delivery_;
  std::shared_ptr<const fields::Grid> grid_;  // of its states
  Pipeline pipeline_;
  std::optional<outputs::State> first_;  // of step 0, until it is delivered
  at::Tensor x_;
  at::Device device_;
};

// The state of step 0: the chosen categories at that date, in the order of the categories.
outputs::State first_state(const InitialState& initial, const Roles& roles, const std::vector<std::string>& categories);

}  // namespace tradewind::forecast
