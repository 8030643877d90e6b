#include <ATen/ATen.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <numeric>

#include "common/checkpoint/checkpoint.h"
#include "common/errors.h"
#include "common/stopwatch.h"
#include "worker/filters/chain.h"
#include "worker/inputs/template_source.h"
#include "worker/nn/model.h"
#include "worker/outputs/output.h"
#include "worker/outputs/restartable.h"
#include "worker/runner/base_runner.h"
#include "worker/runner/checkpoint_check.h"
#include "worker/runner/commands.h"
#include "worker/runner/environment.h"
#include "worker/runner/figures.h"
#include "worker/runner/host_copy.h"
#include "worker/runner/initial_state.h"
#include "worker/runner/model_options.h"
#include "worker/runner/outlook.h"
#include "worker/runner/precision.h"
#include "worker/runner/restart_point.h"
#include "worker/runner/rollout.h"
#include "worker/runner/seed.h"

namespace tradewind::runner {
namespace {

// The same config means the same source: one object, one scan.
Sources open_sources(const config::RunConfig& config, const checkpoint::Metadata& metadata,
                     dist::Communicator& communicator) {
  Sources sources;
  sources.prognostic = inputs::make_input(config.input, metadata, communicator);
  const auto other = [&](const std::optional<config::InputConfig>& given) -> std::shared_ptr<inputs::Input> {
    if (!given || *given == config.input) return sources.prognostic;
    return inputs::make_input(*given, metadata, communicator);
  };
  sources.constant = other(config.constant_forcings);
  sources.dynamic =
      config.dynamic_forcings == config.constant_forcings ? sources.constant : other(config.dynamic_forcings);
  return sources;
}

// The fields of step 0: the latest date of the chosen categories, in the order of the categories.
outputs::State initial_output(const InitialState& initial, const Roles& roles,
                              const std::vector<std::string>& categories, std::shared_ptr<const fields::Grid> grid) {
  outputs::State state;
  state.base = initial.date;
  state.grid = std::move(grid);
  const at::Tensor latest = initial.x.select(0, initial.x.size(0) - 1);  // (rows, variables)
  std::vector<at::Tensor> fields;
  for (const auto& [category, group] : {std::pair<const char*, const Group*>{"prognostics", &roles.prognostic},
                                        {"constant_forcings", &roles.constant},
                                        {"dynamic_forcings", &roles.dynamic}}) {
    if (std::find(categories.begin(), categories.end(), category) == categories.end()) continue;
    for (std::size_t i = 0; i < group->names.size(); ++i) {
      state.variables.push_back(group->names[i]);
      fields.push_back(latest.select(1, group->columns[i]));
    }
  }
  state.values = fields.empty() ? at::empty({0, latest.size(0)}, at::kFloat) : at::stack(fields).contiguous();
  return state;
}

// A state whose values may still be on their way from the device.
struct ComputedState {
  outputs::State state;
  HostCopy values;
};

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

// What outputs know of the variables: the checkpoint's metadata with the config's typed_variables on top.
checkpoint::Metadata output_metadata(const config::RunConfig& config, const checkpoint::Checkpoint& checkpoint) {
  if (config.typed_variables.empty()) return checkpoint.metadata;
  const checkpoint::Json variables = {{"variables_metadata", config.typed_variables}};
  checkpoint::Json patch = config.patch_metadata;
  patch.merge_patch(
      {{"dataset", checkpoint.metadata.multi_dataset_layout ? checkpoint::Json{{checkpoint.metadata.dataset, variables}}
                                                            : variables}});
  return checkpoint::read_metadata(*checkpoint.archive, patch);
}

// Byte for byte the same forecast after a restart, or none.
void check_restart(const filters::Chain& chain, const outputs::Output& output, const BaseRunner& runner,
                   const nn::Model& model, const std::string& name) {
  for (const std::string& why : {chain.why_no_restart(), outputs::why_no_restart(output)})
    if (!why.empty())
      throw UserError(why, "--restart", "leave --restart out, or use an output whose files can be gone on with");
  if (!runner.keeps_nothing(model))
    throw UserError("the runner '" + name + "' may keep something between steps", "--restart",
                    "leave --restart out, or have the runner say that it keeps nothing (base_runner.h)");
}

// The top-level filters' part comes before that of the output's own.
RestartPoint restart_point(int calls, const at::Tensor& x, const filters::Chain& chain, outputs::Output& output) {
  outputs::Settled settled = outputs::restartable(output).settle();
  RestartPoint point{.calls = calls, .output = std::move(settled.told), .x = x.to(at::kCPU), .sums = chain.kept()};
  for (auto& one : settled.kept) point.sums.push_back(std::move(one));
  return point;
}

void resume(RestartPoint& point, filters::Chain& chain, outputs::Output& output, at::Tensor& x) {
  const auto own = point.sums.begin() + static_cast<std::ptrdiff_t>(std::min(chain.size(), point.sums.size()));
  outputs::restartable(output).resume(
      {point.output, {std::make_move_iterator(own), std::make_move_iterator(point.sums.end())}});
  point.sums.erase(own, point.sums.end());
  chain.take_up(std::move(point.sums));
  x = std::exchange(point.x, {});
}

// For the report, and for the end of what the user sees.
void name_files(const outputs::Output& output, report::Json& figures) {
  constexpr std::size_t most_named = 1000;
  std::vector<std::string> files = output.files();
  figures["file_count"] = files.size();
  files.resize(std::min(files.size(), most_named));
  figures["files"] = files;
}

}  // namespace

void run_forecast(const config::RunConfig& config, const device::Device& device, dist::Communicator& communicator,
                  report::Reporter& reporter, const Restart& restart, const outputs::GivenStreams& streams) {
  const Stopwatch total;
  report::Timings timings;
  reporter.phase(report::Phase::load);
  const checkpoint::Checkpoint checkpoint = checkpoint::open_checkpoint(
      config.checkpoint, {.precision_given = config.precision.has_value(), .patch_metadata = config.patch_metadata});
  const checkpoint::Metadata& metadata = checkpoint.metadata;
  const Roles roles = assign_roles(metadata);
  at::Generator random = random_numbers(share_seed(config.seed, communicator));
  nn::ModelOptions options = model_options_on(device);
  options.precision = choose_precision(config.precision, metadata, reporter);
  options.mapper_chunks = chunks_from_environment("ANEMOI_INFERENCE_NUM_CHUNKS_MAPPER");
  options.processor_chunks = chunks_from_environment("ANEMOI_INFERENCE_NUM_CHUNKS_PROCESSOR");
  BaseRunners runners;
  if (const char* plugins = std::getenv("TRADEWIND_PLUGINS")) runners.load(plugins);
  const std::unique_ptr<BaseRunner> runner = runners.make(config.runner);
  const std::unique_ptr<nn::Model> model = runner->make_model(checkpoint.model, options, communicator);
  CheckpointCheck check(checkpoint.archive, communicator, reporter);
  const checkpoint::DatasetDescription& dataset = checkpoint::only_dataset(checkpoint.model);
  timings.load = total.seconds();

  reporter.phase(report::Phase::input);
  const Stopwatch input_watch;
  const Sources sources = open_sources(config, metadata, communicator);
  std::optional<Time> date = config.date;
  if (!date) date = sources.prognostic->latest_date();
  if (!date) throw UserError("the input has no date of its own", "date", "set date in the config");
  const dist::Shards shards(dataset.nodes.count, communicator.size());
  InitialState initial =
      read_initial_state(sources, checkpoint, roles, *date, shards, config.allow_nans, communicator, reporter);
  timings.input = input_watch.seconds();

  double output_seconds = 0;
  const checkpoint::Metadata described = output_metadata(config, checkpoint);
  const std::unique_ptr<outputs::Output> output = outputs::make_output(
      config.output,
      outputs::OutputContext{.metadata = described,
                             .input_templates = inputs::templates_of(*sources.prognostic, roles.prognostic.names),
                             .allow_nans = config.allow_nans.value_or(initial.has_nans),
                             .write_initial_state = config.write_initial_state,
                             .output_frequency = config.output_frequency,
                             .pending_bytes = output_buffer_from_environment(communicator.size()),
                             .run_words = run_words_from_environment(),
                             .streams = streams,
                             .archive = checkpoint.archive},
      communicator);
  filters::Chain chain(config.post_processors, {described, communicator.rank(), checkpoint.archive});
  const auto grid = std::make_shared<const fields::Grid>(
      fields::Grid{fields::Rows(shards),
                   std::make_shared<const fields::Points>(initial.points->slice(shards.range(communicator.rank())))});
  const auto write = [&](outputs::State state) {
    const Stopwatch watch;
    // Post-processors see every state, written or not: a running sum must not skip any.
    chain.apply(state);
    if (output->wants(state.step)) {
      communicator.observer().entering("output");
      output->write(state);
    }
    output_seconds += watch.seconds();
  };
  if (const std::string caution = output->caution(); !caution.empty()) reporter.warning(caution);
  std::optional<RestartPoints> points;
  std::optional<RestartPoint> begin;
  if (!restart.folder.empty()) {
    check_restart(chain, *output, *runner, *model, config.runner.name);
    points.emplace(restart.folder, restart.resume,
                   RunIdentity{restart.run_id, restart.config, checkpoint.archive->fingerprint()}, communicator);
    if (restart.resume) begin = points->read(initial.x.sizes().vec());
  }
  if (begin) {
    resume(*begin, chain, *output, initial.x);
    if (communicator.rank() == 0) reporter.note("goes on after step " + std::to_string(begin->calls));
  } else {
    const outputs::State first_state = initial_output(initial, roles, config.initial_state_categories, grid);
    fields::Outlook outlook = outlook_of(first_state, metadata, config.lead_time);
    chain.describe(outlook);
    const auto warnings = output->prepare(outlook);
    if (communicator.rank() == 0)
      for (const std::string& warning : warnings) reporter.warning(warning);
    write(first_state);
  }

  std::optional<forcings::Computed> computed;
  if (!roles.computed_dynamic.empty()) {
    computed = make_computed(roles.computed_dynamic, *initial.points, shards.range(communicator.rank()));
  }
  initial.points.reset();  // of the whole grid
  const AdvanceMap map = advance_map(metadata.time, dataset.input_steps, dataset.output_steps);
  const int calls = model_calls(config.lead_time, metadata.time.rollout_shift);
  at::Tensor x = std::exchange(initial.x, {}).to(model->device());
  std::optional<std::vector<ComputedState>> previous_results;  // off the CPU: written while the next call runs
  const auto write_results = [&](std::vector<ComputedState>& results) {
    for (ComputedState& one : results) {
      one.state.values = one.values.wait();
      write(std::move(one.state));
    }
  };
  std::vector<double> step_seconds;
  Figures figures(communicator);
  figures.begin_steps();
  const int first = begin ? begin->calls : 0;
  Duration previous{};
  if (first > 0) previous = metadata.time.rollout_shift * (first - 1) + metadata.time.output_offsets.back();
  for (int call = first; call < calls; ++call) {
    reporter.phase(call == first ? report::Phase::first_step : report::Phase::step);
    const Stopwatch step_watch;
    const Duration start = metadata.time.rollout_shift * call;
    const double before_output = output_seconds;
    const nn::StepContext context{.call = call, .valid_time = *date + start, .random = random};
    at::Tensor y = std::move(model->predict({x}, context).front());
    runner->after_step(context, metadata.output, y);
    std::vector<ComputedState> results;
    for (std::size_t i = 0; i < metadata.time.output_offsets.size(); ++i) {
      const Duration step = start + metadata.time.output_offsets[i];
      if (step <= config.lead_time) {
        results.push_back({{*date, step, previous, metadata.output, {}, {}, grid},
                           HostCopy(y.select(0, static_cast<std::int64_t>(i)).t())});
      }
      previous = step;
    }
    if (y.is_cpu() || points) write_results(results);
    if (call + 1 < calls) {
      advance(x, y, map, metadata.prognostic_columns);
      for (const auto& [from, to] : map.output_to_input) {
        const Time valid = *date + start + metadata.time.output_offsets[from];
        if (computed) put_columns(x, to, roles.computed_dynamic.columns, (*computed)(valid));
        if (!roles.dynamic.empty()) {
          const at::Tensor fields =
              sources.dynamic->read(roles.dynamic.names, {valid}, shards.range(communicator.rank()));
          put_columns(x, to, roles.dynamic.columns, fields.select(0, 0).t().contiguous());
        }
      }
    }
    if (points && call + 1 < calls) {
      const Stopwatch watch;
      points->write(restart_point(call + 1, x, chain, *output));
      output_seconds += watch.seconds();
    }
    if (!y.is_cpu() && !points) {
      if (previous_results) write_results(*previous_results);
      previous_results = std::move(results);
    }
    check.look();
    step_seconds.push_back(step_watch.seconds() - (output_seconds - before_output));
    reporter.step_done({call + 1, calls, *date + metadata.time.rollout_shift * (call + 1), step_watch.seconds()});
  }

  if (previous_results) write_results(*previous_results);
  figures.end_steps(std::accumulate(step_seconds.begin(), step_seconds.end(), 0.0), calls - first);

  reporter.phase(report::Phase::close);
  check.finish();
  const Stopwatch close_watch;
  output->close();
  if (points) points->remove();
  timings.output = output_seconds + close_watch.seconds();
  figures.output(timings.output, output->figures());
  timings.steps = calls;
  timings.first_step = step_seconds.empty() ? 0 : step_seconds.front();
  if (step_seconds.size() > 1) step_seconds.erase(step_seconds.begin());
  timings.step_median = median(step_seconds);
  timings.total = total.seconds();
  timings.peak_device_bytes = device.peak_bytes().value_or(0);
  report::Json result = figures.result(shards.range(communicator.rank()).size());
  if (communicator.rank() == 0) name_files(*output, result["output"]);
  reporter.finished(timings, std::move(result));
}

}  // namespace tradewind::runner
