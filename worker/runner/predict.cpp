#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include "common/checkpoint/checkpoint.h"
#include "common/errors.h"
#include "common/stopwatch.h"
#include "worker/forecast/figures.h"
#include "worker/nn/model.h"
#include "worker/npz/npz.h"
#include "worker/runner/checkpoint_check.h"
#include "worker/runner/commands.h"
#include "worker/runner/model_options.h"

namespace tradewind::runner {
namespace {

std::string sizes(at::IntArrayRef shape) {
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "(" + text + ")";
}

void check_input(const at::Tensor& x, const checkpoint::DatasetDescription& model, const std::string& path) {
  if (x.dim() == 4 && x.size(0) > 0 && x.size(1) == model.input_steps && x.size(2) == model.nodes.count &&
      x.size(3) == model.input_variables) {
    return;
  }
  throw UserError("x has the shape " + sizes(x.sizes()), path,
                  "the checkpoint takes (batch, " + std::to_string(model.input_steps) + " times, " +
                      std::to_string(model.nodes.count) + " points, " + std::to_string(model.input_variables) +
                      " variables)");
}

// Every rank's rows of y (output steps, rows, variables) as (output steps, grid, variables), on every rank.
at::Tensor gather_grid(const at::Tensor& y, const dist::Shards& shards, dist::Communicator& communicator) {
  if (communicator.size() == 1) return y;
  const at::Tensor rows = y.transpose(0, 1).contiguous();
  return communicator.all_gather(rows, shards.sizes(), "predict output").transpose(0, 1);
}

}  // namespace

void run_predict(const PredictOptions& options, const device::Device& device, dist::Communicator& communicator,
                 report::Reporter& reporter) {
  const c10::InferenceMode inference;
  const Stopwatch watch;
  report::Timings timings;
  reporter.phase(report::Phase::load);
  const checkpoint::Checkpoint checkpoint = checkpoint::open_checkpoint(options.checkpoint, {.forecast = false});
  nn::ModelOptions model_options = model_options_on(device);
  model_options.precision = options.precision.value_or(Precision::f32);
  const checkpoint::DatasetDescription& dataset = checkpoint::only_dataset(checkpoint.model);
  const auto model = nn::make_model(checkpoint.model, model_options, communicator);
  CheckpointCheck check(checkpoint.archive, communicator, reporter);
  timings.load = watch.seconds();

  reporter.phase(report::Phase::input);
  const at::Tensor x = npz::read(*checkpoint::Archive::open(options.input), "x").to(at::kFloat);
  check_input(x, dataset, options.input + ": x");
  timings.input = watch.seconds() - timings.load;

  reporter.phase(report::Phase::first_step);
  const dist::Shards shards(dataset.nodes.count, communicator.size());
  std::vector<at::Tensor> results;
  forecast::Figures figures(communicator);
  figures.begin_steps();
  for (std::int64_t sample = 0; sample < x.size(0); ++sample) {
    const dist::RowRange rows = model->rows();
    const at::Tensor own = x[sample].slice(1, rows.begin, rows.end).contiguous().to(model->device());
    const at::Tensor y = model->predict({own}, {}).front().cpu();
    results.push_back(gather_grid(y, shards, communicator));
  }
  timings.first_step = timings.step_median = watch.seconds() - timings.load - timings.input;
  timings.steps = static_cast<int>(x.size(0));
  figures.end_steps(timings.first_step, timings.steps);

  reporter.phase(report::Phase::output);
  check.finish();
  if (communicator.rank() == 0) {
    at::Tensor y = at::stack(results).unsqueeze(2);  // (batch, time, ensemble, grid, variables)
    if (!checkpoint.model.output_has_time) y = y.select(1, 0);
    npz::write(options.output, {{"y", y}});
  }
  timings.total = watch.seconds();
  timings.output = timings.total - timings.load - timings.input - timings.first_step;
  timings.peak_device_bytes = device.peak_bytes().value_or(0);
  reporter.finished(timings, figures.result(model->rows().size()));
}

}  // namespace tradewind::runner
