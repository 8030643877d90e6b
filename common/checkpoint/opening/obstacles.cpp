#include "common/checkpoint/opening/obstacles.h"

#include <algorithm>
#include <array>

#include "common/checkpoint/computed_forcing.h"
#include "common/checkpoint/generations/describe.h"
#include "common/errors.h"
#include "common/precision.h"

namespace tradewind::checkpoint {
namespace {

constexpr const char* use_reference = "run this checkpoint with anemoi-inference";

void require_known_task(const Metadata& metadata) {
  std::string task = metadata.task;
  std::replace(task.begin(), task.end(), '_', '-');
  constexpr std::array<std::string_view, 3> known = {"forecaster", "default", "offset-forecaster"};
  if (std::find(known.begin(), known.end(), task) != known.end() || metadata.time.between_inputs) return;
  throw UserError("a checkpoint for the task " + metadata.task + " is not supported",
                  "metadata: metadata_inference.task", "known: forecaster, temporal-downscaler");
}

void require_known_precision(const Metadata& metadata) {
  if (metadata.precision.empty() || precision_of(metadata.precision)) return;
  throw UserError("precision '" + metadata.precision + "' has no counterpart", "metadata: config.training.precision",
                  "set precision: f32, f16 or bf16 in the config");
}

void require_formulas(const Metadata& metadata, Refusals& refusals) {
  for (const std::string& name : metadata.input) {
    const auto variable = metadata.variables.find(name);
    if (variable == metadata.variables.end() || !variable->second.computed_forcing || computed_forcing(name)) continue;
    refusals.push_back({"no formula is known for the computed forcing '" + name + "'",
                        "metadata: dataset.variables_metadata." + name, use_reference});
  }
}

// Rows of time that the model does not have.
void require_rows(const std::vector<std::pair<std::int64_t, std::int64_t>>& moves, std::int64_t from, std::int64_t to,
                  const char* key, Refusals& refusals) {
  const auto check = [&](std::int64_t row, std::int64_t rows) {
    if (row >= -rows && row < rows) return;
    refusals.push_back({"row " + std::to_string(row) + " of " + std::to_string(rows) + " time steps",
                        std::string("metadata: timesteps.advance_map.") + key,
                        "the checkpoint's metadata is damaged; `patch_metadata` can mend it"});
  };
  for (const auto& [source, destination] : moves) {
    check(source, from);
    check(destination, to);
  }
}

// A model call moves all datasets on by the same time, to the same states: the reference takes the first one's for all.
void require_same_times(const Metadata& first, const Metadata& other) {
  const auto refuse = [&](const char* what, Duration one, Duration another) {
    throw UserError("the dataset " + other.dataset + " has " + what + " " + duration_text(another) + ", " +
                        first.dataset + " has " + duration_text(one),
                    "metadata: metadata_inference." + other.dataset + ".timesteps",
                    "the datasets of a forecast move together; `patch_metadata` can mend it");
  };
  if (first.time.rollout_shift != other.time.rollout_shift)
    refuse("a model call that moves on by", first.time.rollout_shift, other.time.rollout_shift);
  if (first.time.between_inputs != other.time.between_inputs)
    throw UserError("the dataset " + other.dataset + " is interpolated between its inputs and " + first.dataset +
                        " is not, or the other way round",
                    "metadata: metadata_inference." + other.dataset + ".timesteps");
  if (first.time.output_offsets.size() != other.time.output_offsets.size()) return;  // found by its rows
  for (std::size_t i = 0; i < first.time.output_offsets.size(); ++i) {
    if (first.time.output_offsets[i] != other.time.output_offsets[i])
      refuse("an output at", first.time.output_offsets[i], other.time.output_offsets[i]);
  }
}

void judge_dataset(const Metadata& metadata, Refusals& refusals) {
  require_formulas(metadata, refusals);
  const TimeStepping& time = metadata.time;
  const auto inputs = static_cast<std::int64_t>(time.input_offsets.size());
  const auto outputs = static_cast<std::int64_t>(time.output_offsets.size());
  require_rows(time.input_to_input, inputs, inputs, "inin", refusals);
  require_rows(time.output_to_input, outputs, inputs, "outin", refusals);
}

void judge_forecast(const Examined& found, const Wanted& wanted, Refusals& refusals) {
  const Metadata& first = found.metadata.front();
  attempt(refusals, [&] { require_known_task(first); });
  if (!wanted.precision_given) attempt(refusals, [&] { require_known_precision(first); });
  for (const Metadata& metadata : found.metadata) {
    judge_dataset(metadata, refusals);
    attempt(refusals, [&] { require_same_times(first, metadata); });
  }
}

// The points' coordinates, which are compared with the input's, and which points are forecast.
void require_arrays(const archive::Archive& archive, const Metadata& metadata, std::int64_t points,
                    Refusals& refusals) {
  if (metadata.arrays.contains("output_mask"))
    attempt(refusals, [&] { require_array(archive, metadata, "output_mask", points); });
  if (!has_coordinates_of_model(metadata, points)) return;
  for (const char* name : {"latitudes", "longitudes"}) {
    if (!metadata.arrays.contains(name)) continue;
    attempt(refusals, [&] { require_array(archive, metadata, name, points); });
  }
}

// Names the file in every place; the same said twice is said once.
void complete(Refusals& refusals, const std::string& path) {
  Refusals distinct;
  for (Refusal& each : refusals) {
    if (std::find(distinct.begin(), distinct.end(), each) == distinct.end()) distinct.push_back(std::move(each));
  }
  refusals = std::move(distinct);
  for (Refusal& each : refusals) {
    if (each.where.starts_with(path)) continue;
    each.where = each.where.empty() ? path : path + ": " + each.where;
  }
}

}  // namespace

Examined examine(const std::string& path, const Wanted& wanted) {
  Examined found;
  found.archive = archive::Archive::open(path, "an inference checkpoint (.ckpt)");
  attempt(found.obstacles, [&] { found.metadata = read_metadata(*found.archive, wanted.patch_metadata); });
  if (!found.metadata.empty() && wanted.forecast) judge_forecast(found, wanted, found.obstacles);
  std::shared_ptr<const Tree> tree;
  if (!attempt(found.obstacles, [&] { tree = Tree::read(found.archive); })) {
    complete(found.obstacles, path);
    throw Refused(std::move(found.obstacles));
  }
  found.contents = tree->contents();
  attempt(found.obstacles, [&] { found.summary = summarize(*tree); });
  attempt(found.obstacles, [&] { found.model = describe(*tree); });
  if (!found.metadata.empty() && found.model) {
    attempt(found.obstacles, [&] { require_agreement(*found.archive, found.metadata, *found.model); });
    const bool paired = found.metadata.size() == found.model->datasets.size();
    for (std::size_t i = 0; paired && wanted.forecast && i < found.metadata.size(); ++i)
      require_arrays(*found.archive, found.metadata[i], found.model->datasets[i].nodes.count, found.obstacles);
  }
  complete(found.obstacles, path);
  return found;
}

Refusals obstacles(const std::string& path, const Wanted& wanted) {
  Refusals refusals;
  attempt(refusals, [&] { refusals = examine(path, wanted).obstacles; });
  return refusals;
}

Checkpoint open_checkpoint(const std::string& path, const Wanted& wanted) {
  Examined found = examine(path, wanted);
  refuse_all(std::move(found.obstacles));
  return {std::move(found.archive), std::move(found.contents), std::move(found.metadata), *std::move(found.model)};
}

}  // namespace tradewind::checkpoint
