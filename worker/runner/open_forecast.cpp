#include "worker/runner/open_forecast.h"

#include <algorithm>
#include <string>
#include <utility>

#include "common/checkpoint/opening/obstacles.h"
#include "common/checkpoint/typed_variables.h"
#include "common/errors.h"
#include "worker/filters/chain.h"
#include "worker/forecast/random_numbers.h"
#include "worker/inputs/template_source.h"
#include "worker/outputs/template_user.h"
#include "worker/runner/driven_model.h"
#include "worker/runner/model_options.h"
#include "worker/runner/precision.h"

namespace tradewind::runner {
namespace {

// The same config means the same source: one object, one scan.
forecast::Sources open_sources(const config::RunConfig& config, const checkpoint::Metadata& metadata,
                               const std::shared_ptr<const archive::Archive>& archive,
                               dist::Communicator& communicator) {
  forecast::Sources sources;
  const inputs::InputContext context{metadata, communicator, config.pre_processors, archive};
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
                       std::vector<forecast::DatasetSteps> steps) {
  if (time.between_inputs) return forecast::Plan::of_windows(date, lead_time, time.rollout_shift, std::move(steps));
  return {date, lead_time, time.rollout_shift, std::move(steps)};
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

// Says whose mistake it is where there are several datasets.
template <class Part>
auto of_dataset(const Opened& opened, std::size_t number, Part&& part) {
  try {
    return part();
  } catch (const UserError& error) {
    const auto& datasets = opened.checkpoint->metadata;
    if (datasets.size() == 1) throw;
    const std::string name = "dataset " + datasets[number].dataset;
    throw UserError(error.message(), error.where().empty() ? name : error.where() + ", " + name, error.remedy());
  }
}

// A dataset that is only read has one state, that of step 0; when that is not to be written, nothing comes to its
// output.
config::OutputConfig output_of(const config::RunConfig& config, const checkpoint::DatasetDescription& dataset) {
  const auto writes_initial = [&](const config::OutputLeaf& leaf) {
    return leaf.common->write_initial_state.value_or(config.write_initial_state);
  };
  const auto leaves = config::leaves_of(config.output);
  if (dataset.decoder || std::any_of(leaves.begin(), leaves.end(), writes_initial)) return config.output;
  return config::NoOutputConfig{};
}

// Around a limited area the input of the run goes on to be read. A temporal downscaler reads all of it anyway.
std::optional<forecast::Boundary> boundary_of(const Opened& opened, std::size_t number, const Beginning& beginning,
                                              int rank) {
  const checkpoint::Metadata& metadata = opened.checkpoint->metadata[number];
  if (!metadata.arrays.contains("output_mask") || metadata.time.between_inputs) return std::nullopt;
  const std::int64_t points = opened.checkpoint->model.datasets[number].nodes.count;
  forecast::Boundary boundary(beginning.sources.prognostic,
                              checkpoint::read_array(*opened.checkpoint->archive, metadata, "output_mask", points),
                              beginning.shards.range(rank));
  if (boundary.empty()) return std::nullopt;
  return boundary;
}

forecast::DatasetRun open_dataset(const Opened& opened, std::size_t number, Beginning beginning, bool allow_nans,
                                  const outputs::GivenStreams& streams, dist::Communicator& communicator) {
  const checkpoint::Metadata& metadata = opened.checkpoint->metadata[number];
  const checkpoint::DatasetDescription& dataset = opened.checkpoint->model.datasets[number];
  const forecast::Roles& roles = opened.roles[number];
  const config::RunConfig& config = opened.configs[number];
  const auto& archive = opened.checkpoint->archive;
  auto output = outputs::make_output(
      output_of(config, dataset),
      outputs::OutputContext{.metadata = opened.described[number],
                             .named_by = &metadata,
                             .allow_nans = allow_nans,
                             .write_initial_state = config.write_initial_state,
                             .output_frequency = config.output_frequency,
                             .pending_bytes = opened.settings.output_buffer /
                                              static_cast<std::size_t>(communicator.size()) / opened.configs.size(),
                             .run_words = opened.settings.run_words,
                             .streams = streams,
                             .archive = archive},
      communicator);
  outputs::give_templates(*output, inputs::templates_of(*beginning.sources.prognostic, roles.prognostic.names));
  filters::Chain filters(config.post_processors, {opened.described[number], communicator.rank(), archive, &metadata});
  forecast::DatasetParts parts{
      .output_variables = {},
      .prognostic_columns = {},
      .roles = roles,
      .dynamic = beginning.sources.dynamic,
      .boundary = boundary_of(opened, number, beginning, communicator.rank()),
      .shards = beginning.shards,
      .rank = communicator.rank(),
      .initial = std::move(beginning.initial),
      .initial_categories = categories_of(config, metadata.time),
      .output_order = order_of(config, metadata),
      .reread = std::move(beginning.reread),
      .delivery = std::make_unique<forecast::Delivery>(std::move(output), std::move(filters), communicator)};
  if (dataset.decoder) {
    parts.output_variables = metadata.output;
    parts.prognostic_columns = metadata.prognostic_columns;
  }
  return {std::move(parts), opened.model->device()};
}

}  // namespace

Opened open_model(const config::RunConfig& config, const Settings& settings, const device::Device& device,
                  dist::Communicator& communicator, report::Reporter& reporter) {
  Opened opened;
  opened.settings = settings;
  opened.checkpoint = std::make_unique<const checkpoint::Checkpoint>(checkpoint::open_checkpoint(
      config.checkpoint, {.precision_given = config.precision.has_value(), .patch_metadata = config.patch_metadata}));
  std::vector<std::vector<std::string>> variables;
  for (std::size_t i = 0; i < opened.checkpoint->metadata.size(); ++i) {
    const checkpoint::Metadata& metadata = opened.checkpoint->metadata[i];
    opened.described.push_back(checkpoint::with_typed_variables(metadata, config.typed_variables));
    opened.roles.push_back(forecast::assign_roles(metadata));
    opened.configs.push_back(config::for_dataset(config, metadata.dataset));
    variables.push_back(metadata.output);
  }
  opened.random = forecast::random_numbers(forecast::share_seed(config.seed, communicator));
  nn::ModelOptions options = model_options_on(device);
  options.precision = choose_precision(config.precision, opened.checkpoint->metadata.front(), reporter);
  options.mapper_chunks = settings.mapper_chunks;
  options.processor_chunks = settings.processor_chunks;
  options.sampling = config.sampling;
  if (!opened.checkpoint->model.transport && config.sampling != sampling::Choice()) {
    reporter.warning("`predict_kwargs`: schedule_params and sampler_params have no effect, this is no transport model");
  }
  BaseRunners runners;
  runners.load(settings.plugins);
  opened.runner = runners.make(config.runner);
  opened.model = make_driven_model(opened.runner->make_model(opened.checkpoint->model, options, communicator),
                                   *opened.runner, std::move(variables));
  return opened;
}

// Without a date in the config the first dataset's input has it for all.
std::vector<Beginning> read_beginning(const config::RunConfig& config, const Opened& opened,
                                      dist::Communicator& communicator, report::Reporter& reporter) {
  std::optional<Time> date = config.date;
  std::vector<Beginning> all;
  for (std::size_t i = 0; i < opened.configs.size(); ++i) {
    all.push_back(of_dataset(opened, i, [&]() -> Beginning {
      const checkpoint::Metadata& metadata = opened.checkpoint->metadata[i];
      forecast::Sources sources = open_sources(opened.configs[i], metadata, opened.checkpoint->archive, communicator);
      if (!date) date = sources.prognostic->latest_date();
      if (!date) throw UserError("the input has no date of its own", "date", "set date in the config");
      const dist::Shards shards(opened.checkpoint->model.datasets[i].nodes.count, communicator.size());
      const auto request = [&opened, i, date = *date, shards, allow_nans = config.allow_nans](const auto& from) {
        return forecast::InitialRequest{.sources = from,
                                        .checkpoint = *opened.checkpoint,
                                        .metadata = opened.checkpoint->metadata[i],
                                        .roles = opened.roles[i],
                                        .date = date,
                                        .shards = shards,
                                        .allow_nans = allow_nans};
      };
      forecast::InitialState initial = forecast::read_initial_state(request(sources), communicator, reporter);
      Beginning beginning{std::move(sources), shards, std::move(initial), {}};
      if (metadata.time.between_inputs) {
        beginning.reread = [from = beginning.sources, points = beginning.initial.points, request,
                            &communicator](Time start) {
          return forecast::read_window(request(from), start, *points, communicator);
        };
      }
      return beginning;
    }));
  }
  return all;
}

forecast::Forecast open_forecast(const config::RunConfig& config, const Opened& opened,
                                 std::vector<Beginning> beginning, const outputs::GivenStreams& streams,
                                 dist::Communicator& communicator) {
  const checkpoint::Checkpoint& checkpoint = *opened.checkpoint;
  std::vector<forecast::DatasetSteps> steps;
  for (std::size_t i = 0; i < beginning.size(); ++i) {
    const checkpoint::DatasetDescription& dataset = checkpoint.model.datasets[i];
    steps.push_back(forecast::steps_of(checkpoint.metadata[i].time, dataset.input_steps, dataset.output_steps));
  }
  forecast::Plan plan =
      plan_of(beginning.front().initial.date, config.lead_time, checkpoint.metadata.front().time, std::move(steps));
  // What one dataset's input misses may come to the states of another through the model.
  const bool any_nans =
      std::any_of(beginning.begin(), beginning.end(), [](const Beginning& one) { return one.initial.has_nans; });
  std::vector<forecast::DatasetRun> datasets;
  for (std::size_t i = 0; i < beginning.size(); ++i) {
    datasets.push_back(of_dataset(opened, i, [&] {
      return open_dataset(opened, i, std::move(beginning[i]), config.allow_nans.value_or(any_nans), streams,
                          communicator);
    }));
  }
  return {std::move(plan), *opened.model, std::move(datasets), opened.random};
}

}  // namespace tradewind::runner
