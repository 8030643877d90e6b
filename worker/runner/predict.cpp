#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "common/checkpoint/checkpoint.h"
#include "common/checkpoint/input_columns.h"
#include "common/checkpoint/opening/obstacles.h"
#include "common/errors.h"
#include "common/stopwatch.h"
#include "worker/forecast/figures.h"
#include "worker/forecast/random_numbers.h"
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

void check_input(const at::Tensor& x, const std::string& name, const checkpoint::DatasetDescription& dataset,
                 const std::string& path) {
  if (x.dim() == 4 && x.size(0) > 0 && x.size(1) == dataset.input_steps && x.size(2) == dataset.nodes.count &&
      x.size(3) == dataset.input_variables) {
    return;
  }
  throw UserError(name + " has the shape " + sizes(x.sizes()), path,
                  "the checkpoint takes (batch, " + std::to_string(dataset.input_steps) + " times, " +
                      std::to_string(dataset.nodes.count) + " points, " + std::to_string(dataset.input_variables) +
                      " variables)");
}

// x of each dataset; where there are several it is called x/<dataset>, as y is y/<dataset>.
struct Inputs {
  std::vector<std::string> suffixes;
  std::vector<at::Tensor> x;  // (samples, times, points, variables), of as many samples each
  std::int64_t samples = 0;
};

Inputs read_inputs(const archive::Archive& input, const checkpoint::ModelDescription& model) {
  Inputs out;
  for (const checkpoint::DatasetDescription& dataset : model.datasets) {
    out.suffixes.push_back(model.datasets.size() == 1 ? std::string() : "/" + dataset.name);
    const std::string name = "x" + out.suffixes.back();
    const at::Tensor& x = out.x.emplace_back(npz::read(input, name).to(at::kFloat));
    check_input(x, name, dataset, input.path() + ": " + name);
    if (out.x.size() == 1) out.samples = x.size(0);
    if (x.size(0) != out.samples) {
      throw UserError(name + " has " + std::to_string(x.size(0)) + " samples, x" + out.suffixes.front() + " has " +
                          std::to_string(out.samples),
                      input.path() + ": " + name, "give as many of each dataset");
    }
  }
  return out;
}

// What IN.npz says of the calls beside x.
struct Calls {
  std::vector<int> steps = {0};  // numbers of calls of a forecast, with a result of each: y, then y_fcstep1
  at::Tensor noise;              // (1 or samples, rows, channels)
};

// The step matters as far as it is the first or a later one; of the first a file asks for both.
std::vector<int> read_steps(const archive::Archive& input, const checkpoint::ModelDescription& model) {
  if (!npz::holds(input, "fcstep")) return {0};
  const std::string where = input.path() + ": fcstep";
  if (std::none_of(model.datasets.begin(), model.datasets.end(), [](const auto& dataset) {
        return checkpoint::first_column(dataset, checkpoint::InputFeature::forecast_step).has_value();
      })) {
    throw UserError("the model does not take the step of the forecast", where, "leave it out");
  }
  const at::Tensor step = npz::read(input, "fcstep");
  if (step.numel() != 1 || !(step.item<double>() >= 0)) {
    throw UserError("fcstep has the shape " + sizes(step.sizes()) + " or is negative", where,
                    "give one number, 0 for the first call of a forecast");
  }
  return step.item<double>() == 0 ? std::vector<int>{0, 1} : std::vector<int>{1};
}

// What a transport model starts from.
at::Tensor read_source(const archive::Archive& input, const checkpoint::DatasetDescription& dataset,
                       std::int64_t samples) {
  const at::Tensor noise = npz::read(input, "noise").to(at::kFloat);
  const std::int64_t steps = dataset.output_steps, rows = dataset.nodes.count, variables = dataset.output_variables;
  const std::int64_t one = steps * rows * variables;
  if (noise.dim() >= 2 && noise.size(-2) == rows && noise.size(-1) == variables &&
      (noise.numel() == one || noise.numel() == samples * one)) {
    return noise.reshape({-1, steps, rows, variables});
  }
  throw UserError("noise has the shape " + sizes(noise.sizes()), input.path() + ": noise",
                  "the checkpoint takes (" + std::to_string(steps) + " times, " + std::to_string(rows) + " rows, " +
                      std::to_string(variables) + " variables), once or for each sample");
}

// Without noise in the file, that of seed 0.
at::Tensor read_noise(const archive::Archive& input, const checkpoint::ModelDescription& model, std::int64_t samples) {
  const bool given = npz::holds(input, "noise");
  if (model.transport) return given ? read_source(input, only_dataset(model), samples) : at::Tensor();
  if (!model.noise) {
    if (given) throw UserError("the model takes no noise", input.path() + ": noise", "leave it out");
    return {};
  }
  const std::int64_t rows = model.noise->rows, channels = model.noise->channels;
  if (!given) return at::randn({samples, rows, channels}, forecast::random_numbers(0), at::kFloat);
  const at::Tensor noise = npz::read(input, "noise").to(at::kFloat);
  const std::int64_t one = rows * channels;
  if (noise.dim() < 2 || noise.size(-2) != rows || noise.size(-1) != channels ||
      (noise.numel() != one && noise.numel() != samples * one)) {
    throw UserError("noise has the shape " + sizes(noise.sizes()), input.path() + ": noise",
                    "the checkpoint takes (" + std::to_string(rows) + " rows, " + std::to_string(channels) +
                        " channels), once or for each sample");
  }
  return noise.reshape({-1, rows, channels});
}

// Every rank's rows of y (output steps, rows, variables) as (output steps, grid, variables), on every rank.
at::Tensor gather_grid(const at::Tensor& y, std::int64_t points, dist::Communicator& communicator) {
  if (communicator.size() == 1) return y;
  const at::Tensor rows = y.transpose(0, 1).contiguous();
  const dist::Shards shards(points, communicator.size());
  return communicator.all_gather(rows, shards.sizes(), "predict output").transpose(0, 1);
}

// y of every call and dataset, of all samples: (output steps, grid, variables) each; none of a dataset that is only
// read.
using Results = std::vector<std::vector<std::vector<at::Tensor>>>;

Results call_model(nn::Model& model, const checkpoint::ModelDescription& description, const Inputs& inputs,
                   const Calls& calls, dist::Communicator& communicator) {
  const at::Generator random = forecast::random_numbers(0);  // of what the file does not hold
  const std::size_t datasets = inputs.x.size();
  Results results(calls.steps.size(), std::vector<std::vector<at::Tensor>>(datasets));
  for (std::int64_t sample = 0; sample < inputs.samples; ++sample) {
    std::vector<at::Tensor> own;
    for (std::size_t i = 0; i < datasets; ++i) {
      const dist::RowRange rows = model.rows(i);
      own.push_back(inputs.x[i][sample].slice(1, rows.begin, rows.end).contiguous().to(model.device()));
    }
    nn::StepContext context;
    context.random = random;
    if (calls.noise.defined()) context.noise = calls.noise[calls.noise.size(0) == 1 ? 0 : sample];
    for (std::size_t call = 0; call < results.size(); ++call) {
      context.call = calls.steps[call];
      const std::vector<at::Tensor> y = model.predict(own, context);
      for (std::size_t i = 0; i < datasets; ++i) {
        if (!y[i].defined()) continue;
        results[call][i].push_back(gather_grid(y[i].cpu(), description.datasets[i].nodes.count, communicator));
      }
    }
  }
  return results;
}

std::vector<std::pair<std::string, at::Tensor>> arrays_of(const Results& results, const Inputs& inputs,
                                                          bool output_has_time) {
  std::vector<std::pair<std::string, at::Tensor>> arrays;
  for (std::size_t call = 0; call < results.size(); ++call) {
    for (std::size_t i = 0; i < results[call].size(); ++i) {
      if (results[call][i].empty()) continue;
      const at::Tensor y = at::stack(results[call][i]).unsqueeze(2);  // (batch, time, ensemble, grid, variables)
      arrays.emplace_back((call == 0 ? "y" : "y_fcstep1") + inputs.suffixes[i], output_has_time ? y : y.select(1, 0));
    }
  }
  return arrays;
}

std::int64_t own_rows(const nn::Model& model, std::size_t datasets) {
  std::int64_t rows = 0;
  for (std::size_t i = 0; i < datasets; ++i) rows += model.rows(i).size();
  return rows;
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
  const auto model = nn::make_model(checkpoint.model, model_options, communicator);
  CheckpointCheck check(checkpoint.archive, communicator, reporter);
  timings.load = watch.seconds();

  reporter.phase(report::Phase::input);
  const auto input = archive::Archive::open(options.input, "an .npz file of the model's input");
  const Inputs inputs = read_inputs(*input, checkpoint.model);
  const Calls calls{read_steps(*input, checkpoint.model), read_noise(*input, checkpoint.model, inputs.samples)};
  timings.input = watch.seconds() - timings.load;

  reporter.phase(report::Phase::first_step);
  forecast::Figures figures(communicator);
  figures.begin_steps();
  const Results results = call_model(*model, checkpoint.model, inputs, calls, communicator);
  timings.first_step = timings.step_median = watch.seconds() - timings.load - timings.input;
  timings.steps = static_cast<int>(inputs.samples * static_cast<std::int64_t>(results.size()));
  figures.end_steps(timings.first_step, timings.steps);

  reporter.phase(report::Phase::output);
  check.finish();
  if (communicator.rank() == 0)
    npz::write(options.output, arrays_of(results, inputs, checkpoint.model.output_has_time));
  timings.total = watch.seconds();
  timings.output = timings.total - timings.load - timings.input - timings.first_step;
  timings.peak_device_bytes = device.peak_bytes().value_or(0);
  reporter.finished(timings, figures.result(own_rows(*model, inputs.x.size())));
}

}  // namespace tradewind::runner
