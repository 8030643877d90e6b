#include "worker/outputs/grib_output.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>

#include "common/clock.h"
#include "common/errors.h"
#include "worker/fields/selection.h"
#include "worker/grib/path_pattern.h"
#include "worker/outputs/whole_fields.h"

namespace tradewind::outputs {
namespace {

// First and last point of the whole grid; nullopt when they are not known. Collective.
std::optional<grib::Corners> corners_of(const fields::Grid& grid, dist::Communicator& communicator) {
  constexpr std::int64_t numbers = 5;  // of the rank's first and last point, and whether it has any
  at::Tensor own = at::zeros({1, numbers}, at::kDouble);
  if (grid.points && !grid.points->latitudes.empty())
    own = at::tensor({1.0, grid.points->latitudes.front(), grid.points->longitudes.front(),
                      grid.points->latitudes.back(), grid.points->longitudes.back()},
                     at::kDouble)
              .view({1, numbers});
  const at::Tensor all = communicator.all_gather(
      own, std::vector<std::int64_t>(static_cast<std::size_t>(communicator.size()), 1), "output.grid");
  std::optional<grib::Corners> corners;
  for (std::int64_t rank = 0; rank < all.size(0); ++rank) {
    const auto* row = all.const_data_ptr<double>() + rank * numbers;
    if (row[0] == 0) continue;
    if (!corners) corners = grib::Corners{row[1], row[2], row[3], row[4]};
    corners->last_latitude = row[3];
    corners->last_longitude = row[4];
  }
  return corners;
}

// Encoding shares the CPUs with the model, so it takes few of them.
int encoding_threads() { return std::clamp(at::get_num_threads() / 2, 1, 8); }

}  // namespace

GribOutput::GribOutput(const config::GribOutputConfig& config, const OutputContext& context,
                       dist::Communicator& communicator)
    : config_(config),
      context_(context),
      communicator_(communicator),
      rules_(grib::KeyRules::from(config)),
      sink_(context.pending_bytes, communicator.observer(), context.streams),
      layout_(communicator, sink_, context.site_probe ? context.site_probe : site_of),
      threads_(encoding_threads()) {
  config_.path = config::with_dataset(config_.path, context.metadata.dataset);
  if (config_.negative_step_mode != "error" && config_.negative_step_mode != "write" &&
      config_.negative_step_mode != "skip")
    throw UserError("negative_step_mode '" + config_.negative_step_mode + "' is not known", "output.grib",
                    "use error, write or skip");
  if (!context.run_words.empty()) sink_.of_run(context.run_words);
  claim_files();
}

// A name that is known already is taken before anything is computed.
void GribOutput::claim_files() {
  if (communicator_.rank() != 0 || (config_.split_output && config_.path.find('{') != std::string::npos)) return;
  if (!context_.writers) sink_.claim(config_.path);
  for (int i = 0; context_.writers && i < context_.writers->count; ++i)
    sink_.claim(config::with_part(config_.path, static_cast<int>(i)));
}

std::string GribOutput::caution() const {
  if (sink_.unlocked() == 0) return {};
  return "no lock could be had for " + std::to_string(sink_.unlocked()) +
         " output files (the file system keeps none, or they are too many): let no other run write to " + config_.path;
}

bool GribOutput::wants(Duration step) const {
  return fields::is_due(config_.common, context_.write_initial_state, context_.output_frequency, step);
}

grib::Templates& GribOutput::templates(const fields::Grid& grid) {
  if (!templates_)
    templates_.emplace(config_.templates, context_.metadata, input_messages_, corners_of(grid, communicator_),
                       config_.encoding);
  return *templates_;
}

std::vector<GribOutput::Field> GribOutput::describe(const State& state) {
  grib::Templates& templates = this->templates(*state.grid);
  std::vector<Field> fields;
  for (std::size_t i = 0; i < state.variables.size(); ++i) {
    const std::string& name = state.variables[i];
    if (!fields::is_selected(config_.common.variables, name, context_.metadata)) continue;
    const auto typed = context_.metadata.variables.find(name);
    if (typed != context_.metadata.variables.end() && typed->second.computed_forcing) continue;
    checkpoint::Variable variable;
    variable.name = name;
    if (typed != context_.metadata.variables.end()) variable = typed->second;
    const auto message_template = templates.facts(name);
    if (!message_template)
      throw UserError(templates.tried(name), "output.grib.templates",
                      "give one, for example `templates: [{input: {" + name + ": 2t}}, builtin]`" +
                          (state.step == Duration::zero() ? ", or set `write_initial_state: false`" : ""));
    grib::Json keys = grib::grib_keys(variable, *message_template, rules_,
                                      {state.base, state.step, state.previous_step}, state.start_steps);
    if (grib::encoded_base(keys) < state.base && config_.negative_step_mode != "write") {
      if (config_.negative_step_mode == "skip") continue;
      throw UserError("variable " + name + " would start at " + iso_date(grib::encoded_base(keys)) +
                          ", before the forecast at " + iso_date(state.base),
                      "output.grib",
                      "set `negative_step_mode` to write or skip" +
                          std::string(state.step == Duration::zero() ? ", or `write_initial_state: false`" : ""));
    }
    fields.push_back({i, name, path_of(i, state.variables.size()), std::move(keys)});
  }
  return fields;
}

// With several files field i of `count` goes to the one whose chunk it is in, as the reference deals them out.
std::string GribOutput::path_of(std::size_t i, std::size_t count) const {
  if (!context_.writers) return config_.path;
  const auto files = static_cast<std::size_t>(context_.writers->count);
  const std::size_t chunk = context_.writers->fields_per_chunk
                                ? static_cast<std::size_t>(*context_.writers->fields_per_chunk)
                                : std::max<std::size_t>(1, (count + files - 1) / files);
  return config::with_part(config_.path, static_cast<int>(i / chunk % files));
}

// This rank's fields, whole, in order.
std::vector<at::Tensor> GribOutput::gather(const State& state, const std::vector<Field>& fields) {
  std::vector<std::int64_t> positions;
  positions.reserve(fields.size());
  for (const Field& field : fields) positions.push_back(static_cast<std::int64_t>(field.position));
  return whole_fields(communicator_, state, positions);
}

void GribOutput::write(const State& state) {
  if (!wants(state.step)) return;
  if (state.values.size(1) != state.grid->rows.range(communicator_.rank()).size())
    throw InternalFault("the state has " + std::to_string(state.values.size(1)) + " rows, not this rank's",
                        "output.grib");
  finish_step();
  std::vector<Field> fields = describe(state);
  if (fields.empty()) return;
  auto step = std::make_unique<Step>();
  step->step = state.step;
  step->field_count = fields.size();
  step->values = gather(state, fields);
  for (auto i = static_cast<std::size_t>(communicator_.rank()); i < fields.size();
       i += static_cast<std::size_t>(communicator_.size()))
    step->fields.push_back(std::move(fields[i]));
  step->messages.resize(step->fields.size());
  step_ = std::move(step);
  threads_.start(step_->fields.size(), [this, current = step_.get()](std::size_t i) {
    const auto begin = Clock::now();
    current->messages[i] = encode(*current, i);
    current->values[i] = at::Tensor();
    encoding_nanoseconds_ += std::chrono::nanoseconds(Clock::now() - begin).count();
  });
}

Message GribOutput::encode(const Step& step, std::size_t index) {
  const Field& field = step.fields[index];
  const at::Tensor& values = step.values[index];
  try {
    const grib::Handle message = grib::encode_field(
        *templates_->find(field.variable), field.keys,
        std::span<const float>(values.const_data_ptr<float>(), static_cast<std::size_t>(values.numel())),
        {context_.allow_nans, config_.missing_value, config_.check_encoding});
    return {config_.split_output ? grib::render_path(field.path, message) : field.path, message.bytes()};
  } catch (const UserError& error) {
    throw UserError("cannot encode " + field.variable + " at step " + duration_text(step.step) + ": " + error.message(),
                    error.where(), error.remedy());
  }
}

// Waits for the step being encoded and hands its bytes on.
void GribOutput::finish_step() {
  if (!step_) return;
  threads_.wait();
  layout_.append(std::move(step_->messages), step_->field_count);
  sink_.mark(step_->step);
  step_.reset();
}

void GribOutput::close() {
  finish_step();
  sink_.flush();
  communicator_.barrier("output.close");
  if (communicator_.rank() == 0) sink_.publish();
  communicator_.barrier("output.close");
}

std::string GribOutput::why_no_restart() const {
  if (!sink_.is_sequential(config_.path)) return {};
  return "what is written to a pipe or a device cannot be taken back: " + config_.path;
}

Settled GribOutput::settle() {
  finish_step();
  sink_.flush();
  return {layout_.begun(), {}};
}

void GribOutput::resume(Settled settled) { layout_.resume(settled.told); }

OutputFigures GribOutput::figures() const {
  OutputFigures figures = sink_.figures();
  figures.encoding_seconds = 1e-9 * static_cast<double>(encoding_nanoseconds_.load());
  return figures;
}

}  // namespace tradewind::outputs
