#include "worker/inputs/dataset_input.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/checkpoint/checkpoint.h"
#include "common/errors.h"
#include "common/nearest.h"
#include "worker/inputs/training_data.h"

namespace tradewind::inputs {
namespace {

// Of the configuration, else of the checkpoint; empty: all points of the dataset.
std::vector<std::int64_t> read_indices(const config::DatasetOptions& options, const InputContext& context) {
  if (options.grid_indices) return *options.grid_indices;
  const auto array = context.metadata.arrays.find("grid_indices");
  if (array == context.metadata.arrays.end()) return {};
  if (!context.archive || array->second.shape.size() != 1)
    throw UserError("the array `grid_indices` is no list of points", "the checkpoint", "export the checkpoint again");
  std::vector<std::int64_t> indices;
  for (const double index :
       checkpoint::read_array(*context.archive, context.metadata, "grid_indices", array->second.shape.front())) {
    if (!(index >= 0 && index < 0x1p40 && std::floor(index) == index))
      throw UserError("the array `grid_indices` holds " + std::to_string(index) + ", which is no number of a point",
                      "the checkpoint", "export the checkpoint again");
    indices.push_back(static_cast<std::int64_t>(index));
  }
  return indices;
}

}  // namespace

DatasetInput::DatasetInput(const config::DatasetOptions& options, const config::OpenDataset& dataset,
                           const InputContext& context)
    : metadata_(context.metadata),
      communicator_(context.communicator),
      dataset_(datasets::open_dataset(dataset)),
      indices_(read_indices(options, context)),
      grid_(std::make_shared<ExpectedGrid>()) {
  for (const std::int64_t index : indices_)
    if (index >= dataset_->points())
      throw UserError("`grid_indices` names point " + std::to_string(index) + " of " +
                          std::to_string(dataset_->points()) + " (from 0)",
                      dataset_->where(), "give the dataset of the training, or other grid_indices");
  if (!context.pre_processors.empty())
    warnings_.emplace_back("pre-processors are not applied to what is read from datasets, as in the reference");
}

DatasetInput::DatasetInput(const config::DatasetInputConfig& config, const InputContext& context)
    : DatasetInput(config,
                   config.dataset ? with_dataset(*config.dataset, context.metadata.dataset)
                                  : dataset_of_training(context.metadata),
                   context) {}
DatasetInput::DatasetInput(const config::TestInputConfig& config, const InputContext& context)
    : DatasetInput(config, dataset_of_training(context.metadata, "test"), context) {}
DatasetInput::DatasetInput(const config::TrainingInputConfig& config, const InputContext& context)
    : DatasetInput(config, dataset_of_training(context.metadata, "training"), context) {}
DatasetInput::DatasetInput(const config::ValidationInputConfig& config, const InputContext& context)
    : DatasetInput(config, dataset_of_training(context.metadata, "validation"), context) {}

std::optional<Time> DatasetInput::latest_date() {
  const std::vector<Time>& dates = dataset_->dates();
  for (std::size_t i = dates.size(); i-- > 0;)
    if (!dataset_->is_missing(static_cast<std::int64_t>(i))) return dates[i];
  throw UserError("all dates of the dataset are missing", dataset_->where(), "give a dataset with data");
}

std::int64_t DatasetInput::rows() const {
  return indices_.empty() ? dataset_->points() : static_cast<std::int64_t>(indices_.size());
}

GridPoints DatasetInput::points() const {
  GridPoints all = dataset_->coordinates();
  if (indices_.empty()) return all;
  GridPoints some;
  for (const std::int64_t index : indices_) {
    some.latitudes.push_back(all.latitudes[static_cast<std::size_t>(index)]);
    some.longitudes.push_back(all.longitudes[static_cast<std::size_t>(index)]);
  }
  return some;
}

void DatasetInput::check_rows(std::int64_t count) const {
  if (rows() == count) return;
  throw UserError("the input has " + std::to_string(rows()) + " grid points, the model has " + std::to_string(count),
                  dataset_->where(),
                  "give a dataset on the model's grid" + (metadata_.grid.empty() ? "" : " (" + metadata_.grid + ")"));
}

std::optional<GridPoints> DatasetInput::grid_points(std::int64_t count) {
  check_rows(count);
  gave_points_ = true;
  return points();
}

void DatasetInput::expect(std::shared_ptr<ExpectedGrid> grid) {
  grid_ = std::move(grid);
  if (gave_points_) grid_->accept("dataset " + dataset_->where());
}

void DatasetInput::check_grid() {
  const std::string name = "dataset " + dataset_->where();
  grid_->check("of " + name, name, [&] {
    return FieldPoints{.points = points(), .why_not = {}, .reference = {}, .where = dataset_->where()};
  });
}

std::vector<std::string> DatasetInput::take_warnings() {
  std::vector<std::string> warnings = std::exchange(warnings_, {});
  for (std::string& warning : grid_->take_warnings()) warnings.push_back(std::move(warning));
  return communicator_.rank() == 0 ? warnings : std::vector<std::string>();
}

datasets::Part DatasetInput::part_of(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                                     const dist::RowRange& rows) const {
  datasets::Part part;
  for (const std::string& name : variables) {
    const auto& names = dataset_->variables();
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      throw UserError("the dataset has no variable " + name + ", which the model reads", dataset_->where(),
                      did_you_mean(name, names) + "give a dataset that has it, or `rename` one of its variables");
    part.variables.push_back(found - names.begin());
  }
  for (const Time date : dates) {
    const auto& all = dataset_->dates();
    const auto found = std::lower_bound(all.begin(), all.end(), date);
    if (found == all.end() || *found != date)
      throw UserError("the dataset has no date " + iso_date(date) + "; it has " + iso_date(all.front()) + " to " +
                          iso_date(all.back()) + " every " + duration_text(dataset_->frequency()),
                      dataset_->where(), "give another `date`, or a dataset that has it");
    part.dates.push_back(found - all.begin());
    if (dataset_->is_missing(part.dates.back()))
      throw UserError("date " + iso_date(date) + " is missing in the dataset", dataset_->where(),
                      "give another `date`, or a dataset that has it");
  }
  if (indices_.empty())
    part.points = {.begin = rows.begin, .end = rows.end};
  else
    part.points.places.assign(indices_.begin() + rows.begin, indices_.begin() + rows.end);
  return part;
}

at::Tensor DatasetInput::read_as(at::ScalarType type, const std::vector<std::string>& variables,
                                 const std::vector<Time>& dates, const dist::RowRange& rows) {
  const auto count = [](const auto& list) { return static_cast<std::int64_t>(list.size()); };
  at::Tensor fields = at::empty({count(dates), count(variables), rows.size()}, type);
  if (fields.numel() == 0) return fields.permute({0, 2, 1});
  if (rows.end > this->rows()) check_rows(rows.end);
  check_grid();
  const datasets::Part part = part_of(variables, dates, rows);
  const std::int64_t absent = type == at::kFloat ? dataset_->read(part, fields.mutable_data_ptr<float>())
                                                 : dataset_->read(part, fields.mutable_data_ptr<double>());
  if (absent > 0 && !std::exchange(warned_of_absent_, true))
    warnings_.push_back("chunks are not there in " + dataset_->where() +
                        ": what they would hold is taken to be the store's fill value");
  return fields.permute({0, 2, 1});
}

at::Tensor DatasetInput::read(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                              const dist::RowRange& rows) {
  return read_as(at::kFloat, variables, dates, rows);
}

at::Tensor DatasetInput::read_double(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                                     const dist::RowRange& rows) {
  return read_as(at::kDouble, variables, dates, rows);
}

}  // namespace tradewind::inputs
