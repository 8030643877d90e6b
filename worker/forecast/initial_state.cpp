#include "worker/forecast/initial_state.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "common/errors.h"
#include "worker/forecast/advance.h"

namespace tradewind::forecast {
namespace {

inputs::GridPoints checkpoint_points(const checkpoint::Checkpoint& checkpoint, const checkpoint::Metadata& metadata,
                                     std::int64_t count) {
  const auto& arrays = metadata.arrays;
  inputs::GridPoints points;
  if (!arrays.contains("latitudes") || !arrays.contains("longitudes")) return points;
  if (!has_coordinates_of_model(metadata, count)) return points;
  points.latitudes = checkpoint::read_array(*checkpoint.archive, metadata, "latitudes", count);
  points.longitudes = checkpoint::read_array(*checkpoint.archive, metadata, "longitudes", count);
  return points;
}

// Columns of x by name: fields (dates, rows, variables).
void put_all(at::Tensor& x, const NamedColumns& one, const at::Tensor& read) {
  const at::Tensor fields = read.contiguous();
  const std::int64_t times = x.size(0), rows = x.size(1), width = x.size(2);
  const auto count = static_cast<std::int64_t>(one.columns.size());
  const float* from = fields.const_data_ptr<float>();
  float* to = x.mutable_data_ptr<float>();
  for (std::int64_t row = 0; row < times * rows; ++row) {
    for (std::int64_t i = 0; i < count; ++i) to[row * width + one.columns[i]] = from[row * count + i];
  }
}

// `nans`: the variables that have some.
void check_values(const at::Tensor& x, const checkpoint::Metadata& metadata, const std::optional<bool>& allow_nans,
                  dist::Communicator& communicator, std::string& nans) {
  const std::int64_t width = x.size(2), rows = x.size(0) * x.size(1);
  // [0, width): NaN seen in the variable; [width, 2 width): infinity seen. Summed over ranks so that all agree.
  at::Tensor seen = at::zeros({2 * width}, at::kFloat);
  float* flags = seen.mutable_data_ptr<float>();
  const float* values = x.const_data_ptr<float>();
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < width; ++column) {
      const float value = values[row * width + column];
      if (std::isfinite(value)) continue;
      flags[std::isnan(value) ? column : width + column] = 1;
    }
  }
  communicator.all_reduce_sum(seen, "input check");
  std::string infinities;
  for (std::int64_t column = 0; column < width; ++column) {
    const std::string& name = metadata.input[column];
    if (flags[column] > 0) nans += (nans.empty() ? "" : ", ") + name;
    if (flags[width + column] > 0) infinities += (infinities.empty() ? "" : ", ") + name;
  }
  if (!infinities.empty()) throw UserError("infinite values in " + infinities, "input", "correct the input fields");
  if (!nans.empty() && allow_nans && !*allow_nans) {
    throw UserError("missing values (NaN) in " + nans, "input", "set allow_nans: true, or give complete fields");
  }
}

// x whose dates start at `start`, this rank's rows.
at::Tensor read_x(const InitialRequest& request, Time start, const inputs::GridPoints& points,
                  dist::Communicator& communicator, std::string& nans) {
  const checkpoint::Metadata& metadata = request.metadata;
  const Sources& sources = request.sources;
  const Roles& roles = request.roles;
  const dist::RowRange rows = request.shards.range(communicator.rank());
  std::vector<Time> dates;
  for (const Duration offset : metadata.time.input_offsets) dates.push_back(start + offset);
  const auto times = static_cast<std::int64_t>(dates.size());
  at::Tensor x =
      at::full({times, rows.size(), static_cast<std::int64_t>(metadata.input.size())}, std::nanf(""), at::kFloat);
  const auto read = [&](inputs::Input& input, const NamedColumns& one) {
    if (!one.empty()) put_all(x, one, input.read(one.names, dates, rows));
  };
  if (metadata.time.between_inputs) {
    // Both dates are those of one forecast, which began at the request's; constants are what they were then.
    if (!roles.constant.empty()) {
      put_all(x, roles.constant,
              sources.constant->read(roles.constant.names, {request.date}, rows).expand({times, -1, -1}));
    }
    for (inputs::Input* input : {sources.prognostic.get(), sources.dynamic.get()}) input->only_of(request.date);
    read(*sources.prognostic, roles.prognostic);
    read(*sources.dynamic, roles.dynamic);
    for (inputs::Input* input : {sources.prognostic.get(), sources.dynamic.get()}) input->only_of({});
  } else {
    read(*sources.prognostic, roles.prognostic);
    read(*sources.constant, roles.constant);
    read(*sources.dynamic, roles.dynamic);
  }
  for (const NamedColumns* one : {&roles.computed_constant, &roles.computed_dynamic}) {
    if (one->empty()) continue;
    const forcings::Computed computed = make_computed(*one, points, rows);
    for (std::int64_t time = 0; time < times; ++time) put_columns(x, time, one->columns, computed(dates[time]));
  }
  check_values(x, metadata, request.allow_nans, communicator, nans);
  return x;
}

}  // namespace

Grid find_grid(inputs::Input& input, const checkpoint::Checkpoint& checkpoint, const checkpoint::Metadata& metadata,
               std::int64_t grid_rows) {
  const std::string where_to_look =
      "give fields on the model's grid" + (metadata.grid.empty() ? std::string() : " (" + metadata.grid + ")");
  const auto known = std::make_shared<const inputs::GridPoints>(checkpoint_points(checkpoint, metadata, grid_rows));
  const auto rows = static_cast<std::size_t>(grid_rows);
  auto given = input.grid_points(grid_rows);
  if (!given && known->latitudes.empty())
    throw UserError("neither the input's messages nor the checkpoint hold the coordinates of the grid's points",
                    "input", where_to_look);
  auto points = given ? std::make_shared<const inputs::GridPoints>(std::move(*given)) : known;
  if (points->latitudes.size() != rows || points->longitudes.size() != rows)
    throw UserError("the input has " + std::to_string(points->latitudes.size()) + " grid points, the model has " +
                        std::to_string(grid_rows),
                    "input", where_to_look);
  const bool comparable = known->latitudes.size() == rows && known->longitudes.size() == rows;
  if (comparable && points != known) {
    if (const auto i = fields::first_difference(*points, *known, fields::all_close))
      throw UserError("point " + std::to_string(*i) + " has latitude " + std::to_string(points->latitudes[*i]) +
                          ", longitude " + std::to_string(points->longitudes[*i]) + ", the checkpoint has " +
                          std::to_string(known->latitudes[*i]) + ", " + std::to_string(known->longitudes[*i]),
                      "input", "give fields on the checkpoint's grid, in its order of points");
    // Longitudes a whole turn apart are the same points; forcings are computed from those the model was trained with.
    if (!std::equal(points->longitudes.begin(), points->longitudes.end(), known->longitudes.begin(), fields::all_close))
      points = known;
  }
  const bool real = given.has_value() ? input.has_real_grid() : true;
  return {points, std::make_shared<inputs::ExpectedGrid>(real         ? points
                                                         : comparable ? known
                                                                      : nullptr,
                                                         comparable ? "the checkpoint" : "the input's first message")};
}

forcings::Computed make_computed(const NamedColumns& one, const inputs::GridPoints& points,
                                 const dist::RowRange& rows) {
  return {one.names,
          {points.latitudes.begin() + rows.begin, points.latitudes.begin() + rows.end},
          {points.longitudes.begin() + rows.begin, points.longitudes.begin() + rows.end}};
}

InitialState read_initial_state(const InitialRequest& request, dist::Communicator& communicator,
                                report::Reporter& reporter) {
  const checkpoint::Metadata& metadata = request.metadata;
  const Sources& sources = request.sources;
  InitialState state;
  state.date = request.date;
  const std::array<inputs::Input*, 3> inputs = {sources.prognostic.get(), sources.constant.get(),
                                                sources.dynamic.get()};
  const auto warn = [&] {
    for (inputs::Input* input : inputs)
      for (const std::string& warning : input->take_warnings()) reporter.warning(warning);
  };
  warn();
  const Grid grid = find_grid(*sources.prognostic, request.checkpoint, metadata, request.shards.rows());
  for (inputs::Input* input : inputs) input->expect(grid.expected);
  state.points = grid.points;
  std::string nans;
  state.x = read_x(request, request.date, *state.points, communicator, nans);
  if (metadata.time.between_inputs) state.date_row = 0;
  warn();
  state.has_nans = !nans.empty();
  if (state.has_nans && !request.allow_nans && communicator.rank() == 0)
    reporter.warning("missing values (NaN) in " + nans);
  return state;
}

at::Tensor read_window(const InitialRequest& request, Time start, const inputs::GridPoints& points,
                       dist::Communicator& communicator) {
  std::string nans;
  return read_x(request, start, points, communicator, nans);
}

}  // namespace tradewind::forecast
