// One forecast, call by call: what the model makes of the datasets' inputs goes to their outputs and into their next
// inputs. Knows no command line, no environment, no signals and no other forecast. Collective: every rank makes the
// same calls. Not thread-safe. The model must outlive it. Errors: those of model, inputs and outputs, after any of
// which it cannot be gone on with.
#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>
#include <string>
#include <vector>

#include "worker/forecast/dataset_run.h"
#include "worker/forecast/plan.h"
#include "worker/forecast/restart_point.h"
#include "worker/nn/model.h"

namespace tradewind::forecast {

class Forecast {
 public:
  // datasets: in the order of the plan and of the model. random: the forecast's own numbers, in the same state on every
  // rank; undefined when the model draws none.
  Forecast(Plan plan, nn::Model& model, std::vector<DatasetRun> datasets, at::Generator random);

  // Before the first next(), one of the two. begin() writes step 0 and returns warnings, the same on every rank.
  std::vector<std::string> begin();
  void resume(RestartPoint point);

  bool done() const { return calls_done_ == plan_.calls(); }
  // Makes one call. When it returns, its states are with their outputs; off the CPU those of the call before, until the
  // last one.
  Call next();
  // Once all calls are made: returns when every output is on disk under its final name.
  void close();

  // Between two calls: what resume() needs to go on from here, when every state so far is on disk of this rank.
  RestartPoint point();
  // Of such a point.
  RestartShape restart_shape() const;

  const Plan& plan() const { return plan_; }
  const std::vector<DatasetRun>& datasets() const { return datasets_; }
  // That outputs have held this rank up for.
  double output_seconds() const;
  // Of all outputs together.
  outputs::OutputFigures output_figures() const;
  // Files that outputs have begun so far, the same on every rank.
  std::vector<std::string> files() const;

 private:
  Plan plan_;
  nn::Model& model_;
  std::vector<DatasetRun> datasets_;
  at::Generator random_;
  int calls_done_ = 0;
};

}  // namespace tradewind::forecast
