#include "worker/forecast/forecast.h"

#include <ATen/ATen.h>

#include <utility>

#include "common/errors.h"
#include "worker/forecast/random_numbers.h"

namespace tradewind::forecast {

Forecast::Forecast(Plan plan, nn::Model& model, std::vector<DatasetRun> datasets, at::Generator random)
    : plan_(std::move(plan)), model_(model), datasets_(std::move(datasets)), random_(std::move(random)) {
  if (datasets_.empty() || datasets_.size() != plan_.datasets().size())
    throw InternalFault("a plan for " + std::to_string(plan_.datasets().size()) + " datasets and " +
                            std::to_string(datasets_.size()) + " of them",
                        "forecast");
}

std::vector<std::string> Forecast::begin() {
  std::vector<std::string> warnings;
  for (std::size_t i = 0; i < datasets_.size(); ++i) {
    for (std::string& warning : datasets_[i].begin(plan_, i)) warnings.push_back(std::move(warning));
  }
  return warnings;
}

void Forecast::resume(RestartPoint point) {
  for (std::size_t i = 0; i < datasets_.size(); ++i) datasets_[i].resume(std::move(point.datasets.at(i)));
  if (random_.defined()) random_.set_state(point.random);
  calls_done_ = point.calls;
}

Call Forecast::next() {
  Call call = plan_.call(calls_done_);
  std::vector<at::Tensor> x;
  for (const DatasetRun& dataset : datasets_) x.push_back(dataset.x());
  std::vector<at::Tensor> y = model_.predict(
      x, {.call = plan_.starts_anew() ? 0 : call.number, .valid_time = plan_.valid(call.start), .random = random_});
  x.clear();
  for (std::size_t i = 0; i < datasets_.size(); ++i) {
    datasets_[i].add_states(plan_, call.datasets[i], y.at(i));
    if (!call.last) datasets_[i].advance(plan_, plan_.datasets()[i], call.datasets[i], y[i]);
  }
  for (DatasetRun& dataset : datasets_) dataset.hand_on(call.last);
  ++calls_done_;
  return call;
}

void Forecast::close() {
  for (DatasetRun& dataset : datasets_) dataset.close();
}

RestartPoint Forecast::point() {
  RestartPoint point{.calls = calls_done_, .random = state_of(random_), .datasets = {}};
  for (DatasetRun& dataset : datasets_) point.datasets.push_back(dataset.settle());
  return point;
}

RestartShape Forecast::restart_shape() const {
  RestartShape shape{.random_bytes = static_cast<std::size_t>(state_of(random_).numel()), .x = {}};
  for (const DatasetRun& dataset : datasets_) shape.x.push_back(dataset.x().sizes().vec());
  return shape;
}

double Forecast::output_seconds() const {
  double seconds = 0;
  for (const DatasetRun& dataset : datasets_) seconds += dataset.delivery().seconds();
  return seconds;
}

outputs::OutputFigures Forecast::output_figures() const {
  outputs::OutputFigures sum;
  for (const DatasetRun& dataset : datasets_) {
    const outputs::OutputFigures one = dataset.delivery().output().figures();
    sum.bytes += one.bytes;
    sum.encoding_seconds += one.encoding_seconds;
    sum.file_seconds += one.file_seconds;
    sum.blocked_seconds += one.blocked_seconds;
    sum.most_pending_bytes += one.most_pending_bytes;
    sum.pending_limit_bytes += one.pending_limit_bytes;
  }
  return sum;
}

std::vector<std::string> Forecast::files() const {
  std::vector<std::string> all;
  for (const DatasetRun& dataset : datasets_) {
    for (std::string& file : dataset.delivery().output().files()) all.push_back(std::move(file));
  }
  return all;
}

}  // namespace tradewind::forecast
