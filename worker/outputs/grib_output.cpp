#include "worker/outputs/grib_output.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>

#include "common/errors.h"
#include "worker/grib/path_pattern.h"
#include "worker/outputs/selection.h"

namespace tradewind::outputs {
namespace {

std::optional<grib::Corners> corners_of(const OutputContext& context) {
  if (!context.points || context.points->latitudes.empty()) return std::nullopt;
  return grib::Corners{context.points->latitudes.front(), context.points->longitudes.front(),
                       context.points->latitudes.back(), context.points->longitudes.back()};
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
      templates_(config.templates, context.metadata, context.input_templates, corners_of(context), config.encoding),
      threads_(encoding_threads()) {
  config_.path = grib::with_dataset(config_.path, context.metadata.dataset);
  if (config_.negative_step_mode != "error" && config_.negative_step_mode != "write" &&
      config_.negative_step_mode != "skip")
    throw UserError("negative_step_mode '" + config_.negative_step_mode + "' is not known", "output.grib",
                    "use error, write or skip");
}

bool GribOutput::wants(Duration step) const {
  return is_due(config_.common, context_.write_initial_state, context_.output_frequency, step);
}

std::vector<GribOutput::Field> GribOutput::describe(const State& state) {
  std::vector<Field> fields;
  for (std::size_t i = 0; i < state.variables.size(); ++i) {
    const std::string& name = state.variables[i];
    if (!is_selected(config_.common.variables, name, context_.metadata)) continue;
    const auto typed = context_.metadata.variables.find(name);
    if (typed != context_.metadata.variables.end() && typed->second.computed_forcing) continue;
    checkpoint::Variable variable;
    variable.name = name;
    if (typed != context_.metadata.variables.end()) variable = typed->second;
    auto message_template = templates_.find(name);
    if (!message_template)
      throw UserError(templates_.tried(name), "output.grib.templates",
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
    fields.push_back({i, name, std::move(message_template), std::move(keys)});
  }
  return fields;
}

at::Tensor GribOutput::gather(const State& state, const std::vector<Field>& fields) {
  const std::int64_t ranks = communicator_.size(), rank = communicator_.rank();
  const auto count = static_cast<std::int64_t>(fields.size());
  const auto share = [&](std::int64_t of) { return of < count ? (count - of - 1) / ranks + 1 : 0; };
  const std::vector<std::int64_t> rows = context_.shards.sizes();
  const std::int64_t own_rows = rows[static_cast<std::size_t>(rank)], mine = share(rank);
  if (state.values.size(1) != own_rows)
    throw InternalFault(
        "the state has " + std::to_string(state.values.size(1)) + " rows, the shard " + std::to_string(own_rows),
        "output.grib");
  std::vector<std::int64_t> order, sent, received;  // fields by the rank that encodes them
  for (std::int64_t to = 0; to < ranks; ++to) {
    for (std::int64_t i = 0; i < share(to); ++i)
      order.push_back(static_cast<std::int64_t>(fields[static_cast<std::size_t>(i * ranks + to)].position));
    sent.push_back(share(to) * own_rows);
    received.push_back(mine * rows[static_cast<std::size_t>(to)]);
  }
  const at::Tensor parts = state.values.index_select(0, at::tensor(order, at::kLong)).to(at::kCPU, at::kFloat);
  const at::Tensor got = communicator_.all_to_all(parts.reshape({-1}), sent, received, "output.fields");
  if (ranks == 1) return got.view({mine, own_rows});
  std::vector<at::Tensor> columns;
  std::int64_t at = 0;
  for (const std::int64_t size : rows) {
    columns.push_back(got.slice(0, at, at + mine * size).view({mine, size}));
    at += mine * size;
  }
  return at::cat(columns, 1);
}

void GribOutput::write(const State& state) {
  if (!wants(state.step)) return;
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
  threads_.start(step_->fields.size(),
                 [this, current = step_.get()](std::size_t i) { current->messages[i] = encode(*current, i); });
}

GribOutput::Message GribOutput::encode(const Step& step, std::size_t index) const {
  const Field& field = step.fields[index];
  const auto points = static_cast<std::size_t>(step.values.size(1));
  const float* values = step.values.const_data_ptr<float>() + index * points;
  try {
    const grib::Handle message =
        grib::encode_field(*field.message_template, field.keys, std::span<const float>(values, points),
                           {context_.allow_nans, config_.missing_value, config_.check_encoding});
    return {config_.split_output ? grib::render_path(config_.path, message) : config_.path, message.bytes()};
  } catch (const UserError& error) {
    throw UserError("cannot encode " + field.variable + " at step " + duration_text(step.step) + ": " + error.message(),
                    error.where(), error.remedy());
  }
}

// Waits for the step being encoded, agrees on the place of each of its messages and hands the bytes on.
void GribOutput::finish_step() {
  if (!step_) return;
  threads_.wait();
  const auto ranks = static_cast<std::size_t>(communicator_.size());
  // Every message's size and path, from the rank that has it: rank i % size has message i.
  grib::Json own = grib::Json::array();
  for (const auto& message : step_->messages) own.push_back({message.bytes.size(), message.path});
  std::vector<grib::Json> all(ranks);
  all[static_cast<std::size_t>(communicator_.rank())] = own;
  if (ranks > 1) {
    const std::string text = own.dump();
    const at::Tensor lengths = communicator_.all_gather(at::tensor({static_cast<std::int64_t>(text.size())}, at::kLong),
                                                        std::vector<std::int64_t>(ranks, 1), "output.sizes");
    const std::vector<std::int64_t> counts(lengths.const_data_ptr<std::int64_t>(),
                                           lengths.const_data_ptr<std::int64_t>() + ranks);
    at::Tensor bytes = at::empty({static_cast<std::int64_t>(text.size())}, at::kByte);
    std::memcpy(bytes.data_ptr(), text.data(), text.size());
    const at::Tensor gathered = communicator_.all_gather(bytes, counts, "output.sizes");
    const char* from = static_cast<const char*>(gathered.const_data_ptr());
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      all[rank] = grib::Json::parse(from, from + counts[rank]);
      from += counts[rank];
    }
  }
  std::vector<std::uint64_t> offsets(step_->field_count);
  bool created = false;
  for (std::size_t i = 0; i < step_->field_count; ++i) {
    const grib::Json& entry = all[i % ranks][i / ranks];
    const auto path = entry[1].get<std::string>();
    const auto [size, fresh] = sizes_.try_emplace(path, 0);
    if (fresh && ranks > 1 && FileSink::is_sequential(path))
      throw UserError("a pipe or device cannot be written by several ranks", path, "write to a file, or use one rank");
    if (fresh && communicator_.rank() == 0) sink_.create(path);
    created = created || fresh;
    offsets[i] = size->second;
    size->second += entry[0].get<std::uint64_t>();
  }
  if (created) communicator_.barrier("output.create");
  for (std::size_t i = 0; i < step_->messages.size(); ++i) {
    Message& message = step_->messages[i];
    sink_.append(message.path, offsets[i * ranks + static_cast<std::size_t>(communicator_.rank())],
                 std::move(message.bytes));
  }
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

std::optional<Duration> GribOutput::last_written() const { return sink_.last_marked(); }

}  // namespace tradewind::outputs
