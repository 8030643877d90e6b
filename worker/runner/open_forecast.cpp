#include "worker/runner/open_forecast.h"

#include <algorithm>
#include <utility>

#include "common/checkpoint/opening/obstacles.h"
#include "common/checkpoint/typed_variables.h"
#include "common/errors.h"
#include "worker/filters/chain.h"
#include "worker/forecast/random_numbers.h"
#include "worker/inputs/template_source.h"
#include "worker/runner/driven_model.h"
#include "worker/runner/model_options.h"
#include "worker/runner/precision.h"

namespace tradewind::runner {
namespace {

// The same config means the same source: one object, one scan.
forecast::Sources open_sources(const config::RunConfig& config, const checkpoint::Metadata& metadata,
                               dist::Communicator& communicator) {
  forecast::Sources sources;
  const inputs::InputContext context{metadata, communicator, config.pre_processors};
  sources.prognostic = inputs::make_input(config.input, context);
  const auto other = [&](const std::optional<config::InputConfig>& given) -> std::shared_ptr<inputs::Input> {
    if (!given || *given == config.input) return sources.prognostic;
    return inputs::make_input(*given, context);
  };
  sources.constant = other(config.constant_forcings);
  sources.dynamic =
      config.dynamic_forcings == config.constant_forcings ? sources.constant : other(config.dynamic_forcings);
  return sources;
}

forecast::Plan plan_of(Time date, Duration lead_time, const checkpoint::TimeStepping& time,
                       forecast::DatasetSteps steps) {
  if (time.between_inputs) return forecast::Plan::of_windows(date, lead_time, time.rollout_shift, {std::move(steps)});
  return {date, lead_time, time.rollout_shift, {std::move(steps)}};
}

// A temporal downscaler shows the variables that it has at every step.
std::vector<std::string> categories_of(const config::RunConfig& config, const checkpoint::TimeStepping& time) {
  return time.between_inputs ? std::vector<std::string>{"prognostics"} : config.initial_state_categories;
}

// Where it has written the first state, a temporal downscaler begins the others with that one's variables, as the
// reference does.
std::vector<std::int64_t> order_of(const config::RunConfig& config, const checkpoint::Metadata& metadata) {
  std::vector<std::int64_t> order;
  if (!metadata.time.between_inputs || !config.write_initial_state) return order;
  const auto known = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name);
  };
  for (const std::string& name : metadata.input) {
    const auto column = known(metadata.output, name);
    if (column != metadata.output.end()) order.push_back(column - metadata.output.begin());
  }
  for (std::size_t i = 0; i < metadata.output.size(); ++i)
    if (known(metadata.input, metadata.output[i]) == metadata.input.end())
      order.push_back(static_cast<std::int64_t>(i));
  return order;
}

}  // namespace

Opened open_model(const config::RunConfig& config, const Settings& settings, const device::Device& device,
                  dist::Communicator& communicator, report::Reporter& reporter) {
  Opened opened;
  opened.settings = settings;
  opened.checkpoint = std::make_unique<const checkpoint::Checkpoint>(checkpoint::open_checkpoint(
      config.checkpoint, {.precision_given = config.precision.has_value(), .patch_metadata = config.patch_metadata}));
  const checkpoint::Metadata& metadata = opened.checkpoint->metadata;
  opened.described = checkpoint::with_typed_variables(metadata, config.typed_variables);
  opened.roles = forecast::assign_roles(metadata);
  opened.random = forecast::random_numbers(forecast::share_seed(config.seed, communicator));
  nn::ModelOptions options = model_options_on(device);
  options.precision = choose_precision(config.precision, metadata, reporter);
  options.mapper_chunks = settings.mapper_chunks;
  options.processor_chunks = settings.processor_chunks;
  BaseRunners runners;
  runners.load(settings.plugins);
  opened.runner = runners.make(config.runner);
  opened.model = make_driven_model(opened.runner->make_model(opened.checkpoint->model, options, communicator),
                                   *opened.runner, {metadata.output});
  return opened;
}

Beginning read_beginning(const config::RunConfig& config, const Opened& opened, dist::Communicator& communicator,
                         report::Reporter& reporter) {
  forecast::Sources sources = open_sources(config, opened.checkpoint->metadata, communicator);
  std::optional<Time> date = config.date;
  if (!date) date = sources.prognostic->latest_date();
  if (!date) throw UserError("the input has no date of its own", "date", "set date in the config");
  const dist::Shards shards(checkpoint::only_dataset(opened.checkpoint->model).nodes.count, communicator.size());
  forecast::InitialState initial = forecast::read_initial_state({.sources = sources,
                                                                 .checkpoint = *opened.checkpoint,
                                                                 .roles = opened.roles,
                                                                 .date = *date,
                                                                 .shards = shards,
                                                                 .allow_nans = config.allow_nans},
                                                                communicator, reporter);
  Beginning beginning{std::move(sources), shards, std::move(initial), {}};
  if (opened.checkpoint->metadata.time.between_inputs) {
    beginning.reread = [from = beginning.sources, points = beginning.initial.points, &opened, &communicator, shards,
                        date = *date, allow_nans = config.allow_nans](Time start) {
      return forecast::read_window({.sources = from,
                                    .checkpoint = *opened.checkpoint,
                                    .roles = opened.roles,
                                    .date = date,
                                    .shards = shards,
                                    .allow_nans = allow_nans},
                                   start, *points, communicator);
    };
  }
  return beginning;
}

forecast::Forecast open_forecast(const config::RunConfig& config, const Opened& opened, Beginning beginning,
                                 const outputs::GivenStreams& streams, dist::Communicator& communicator) {
  const checkpoint::Metadata& metadata = opened.checkpoint->metadata;
  const checkpoint::DatasetDescription& dataset = checkpoint::only_dataset(opened.checkpoint->model);
  forecast::Plan plan = plan_of(beginning.initial.date, config.lead_time, metadata.time,
                                forecast::steps_of(metadata.time, dataset.input_steps, dataset.output_steps));
  const auto& archive = opened.checkpoint->archive;
  auto output = outputs::make_output(
      config.output,
      outputs::OutputContext{
          .metadata = opened.described,
          .named_by = &metadata,
          .input_templates = inputs::templates_of(*beginning.sources.prognostic, opened.roles.prognostic.names),
          .allow_nans = config.allow_nans.value_or(beginning.initial.has_nans),
          .write_initial_state = config.write_initial_state,
          .output_frequency = config.output_frequency,
          .pending_bytes = opened.settings.output_buffer / static_cast<std::size_t>(communicator.size()),
          .run_words = opened.settings.run_words,
          .streams = streams,
          .archive = archive},
      communicator);
  filters::Chain filters(config.post_processors, {opened.described, communicator.rank(), archive, &metadata});
  std::vector<forecast::DatasetRun> datasets;
  datasets.emplace_back(forecast::DatasetParts{.output_variables = metadata.output,
                                               .prognostic_columns = metadata.prognostic_columns,
                                               .roles = opened.roles,
                                               .dynamic = beginning.sources.dynamic,
                                               .shards = beginning.shards,
                                               .rank = communicator.rank(),
                                               .initial = std::move(beginning.initial),
                                               .initial_categories = categories_of(config, metadata.time),
                                               .output_order = order_of(config, metadata),
                                               .reread = std::move(beginning.reread),
                                               .delivery = std::make_unique<forecast::Delivery>(
                                                   std::move(output), std::move(filters), communicator)},
                        opened.model->device());
  return {std::move(plan), *opened.model, std::move(datasets), opened.random};
}

}  // namespace tradewind::runner
