#include "worker/outputs/netcdf_output.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "common/errors.h"
#include "worker/dist/transpose.h"
#include "worker/fields/selection.h"
#include "worker/outputs/room.h"
#include "worker/outputs/whole_fields.h"

namespace tradewind::outputs {
namespace {

constexpr std::array<std::string_view, 5> coordinates = {"time", "forecast_period", "forecast_reference_time",
                                                         "latitude", "longitude"};
constexpr const char* epoch = "seconds since 1970-01-01 00:00:00+00:00";
// The reference halves chunks that have more values.
constexpr std::size_t most_in_chunk = 1'000'000;

// This rank's columns, whole on rank 0, some at a time.
void gather(dist::Communicator& communicator, const at::Tensor& own, const fields::Rows& rows,
            const dist::FieldSink& sink) {
  const dist::FieldLayout layout{.owners = std::vector<int>(static_cast<std::size_t>(own.size(0)), 0),
                                 .row_counts = rows.counts(),
                                 .max_bytes = exchange_bytes};
  dist::fields_to_owners(communicator, own, layout, sink, "output.fields");
}

std::vector<double> to_vector(const at::Tensor& values) {
  const at::Tensor whole = values.to(at::kDouble).contiguous();
  return {whole.const_data_ptr<double>(), whole.const_data_ptr<double>() + whole.numel()};
}

}  // namespace

NetcdfOutput::NetcdfOutput(const config::NetcdfOutputConfig& config, const OutputContext& context,
                           dist::Communicator& communicator)
    : config_(config),
      context_(context),
      communicator_(communicator),
      sink_(context.pending_bytes, communicator.observer(), context.streams),
      queue_(context.pending_bytes) {
  config_.path = config::with_dataset(config_.path, context.metadata.dataset);
  if (!context.run_words.empty()) sink_.of_run(context.run_words);
}

bool NetcdfOutput::wants(Duration step) const {
  return fields::is_due(config_.common, context_.write_initial_state, context_.output_frequency, step);
}

std::vector<std::int64_t> NetcdfOutput::selected(const State& state) const {
  std::vector<std::int64_t> positions;
  for (std::size_t i = 0; i < state.variables.size(); ++i)
    if (fields::is_selected(config_.common.variables, state.variables[i], context_.metadata))
      positions.push_back(static_cast<std::int64_t>(i));
  return positions;
}

void NetcdfOutput::check_names(const Due& due) const {
  for (const State& state : due.states)
    for (const std::int64_t position : selected(state)) {
      const std::string& name = state.variables[static_cast<std::size_t>(position)];
      const bool taken = std::find(coordinates.begin(), coordinates.end(), name) != coordinates.end();
      if (taken || name.find('/') != std::string::npos)
        throw UserError("the variable '" + name + "' cannot have its name in a NetCDF file" +
                            (taken ? ", where a coordinate has it" : ""),
                        "output.netcdf", "leave it out with `variables`");
    }
}

std::vector<std::string> NetcdfOutput::prepare(const Outlook& outlook) {
  const Due due = outlook.due([this](Duration step) { return wants(step); });
  std::size_t most = 0;
  for (const State& state : due.states) most = std::max(most, selected(state).size());
  if (most == 0) fields::refuse_nothing(config_.common, due, "output.netcdf");
  if (!due.states.front().grid->points)
    throw UserError("the output `netcdf` holds the coordinates of the grid's points, and they are not known",
                    "output.netcdf", "give an input with coordinates");
  if (sink_.is_sequential(config_.path))
    throw UserError("a NetCDF file cannot be written in order, as a pipe or a device wants it", config_.path,
                    "give the path of a file");
  check_names(due);
  if (communicator_.rank() != 0) return {};
  netcdf::NcFile::need_library();
  check_place(config_.path);
  sink_.claim(config_.path);
  const std::uint64_t bytes = config_.doubles ? 8 : 4;
  const auto points = static_cast<std::uint64_t>(due.states.front().grid->rows.total());
  return check_room({config_.path}, {.first = selected(due.states.front()).size() * points * bytes,
                                     .all = (static_cast<std::uint64_t>(due.count) * most + 2) * points * bytes});
}

void NetcdfOutput::later(std::size_t bytes, std::function<void()> job) {
  queue_.add(bytes, [this, bytes, job = std::move(job)] {
    dist::FileWatch watch(communicator_.observer(), dist::FileUse::write, config_.path);
    job();
    watch.moved(bytes);
  });
}

void NetcdfOutput::write(const State& state) {
  if (!wants(state.step)) return;
  const std::vector<std::int64_t> positions = selected(state);
  begin(state);
  if (communicator_.rank() == 0)
    later(0, [this, record = records_, time = (state.base + state.step).time_since_epoch().count(),
              period = std::chrono::seconds(state.step).count()] {
      file_->file.put(file_->period, record, period);
      file_->file.put(file_->time, record, time);
    });
  hand_over(state, positions);
  ++records_;
  if (communicator_.rank() != 0) return sink_.mark(state.step);
  queue_.add(0, [this, step = state.step] { communicator_.observer().state_written(step); });
}

void NetcdfOutput::hand_over(const State& state, const std::vector<std::int64_t>& positions) {
  if (positions.empty()) return;
  const auto take = [&](const std::vector<std::int64_t>& some, const at::Tensor& whole) {
    for (std::size_t i = 0; i < some.size(); ++i) {
      const at::Tensor field = whole[static_cast<std::int64_t>(i)];
      const std::int64_t position = positions[static_cast<std::size_t>(some[i])];
      later(static_cast<std::size_t>(field.numel()) * sizeof(float),
            [this, name = state.variables[static_cast<std::size_t>(position)], record = records_, field] {
              put_field(name, record, field);
            });
    }
  };
  const at::Tensor rows = state.values.index_select(0, at::tensor(positions, at::kLong).to(state.values.device()));
  gather(communicator_, rows.to(at::kCPU, at::kFloat), state.grid->rows, take);
}

void NetcdfOutput::put_field(const std::string& name, std::size_t record, const at::Tensor& field) {
  const auto size = static_cast<std::size_t>(field.numel());
  const auto type = config_.doubles ? netcdf::Type::float64 : netcdf::Type::float32;
  auto known = file_->variables.find(name);
  if (known == file_->variables.end()) {
    std::size_t chunk = size;
    while (chunk > most_in_chunk) chunk = (chunk + 1) / 2;
    const int made = file_->file.add_variable(name, type, {file_->time_dimension, file_->values_dimension}, {1, chunk});
    file_->file.add_number(made, "_FillValue", type, config_.missing_value);
    file_->file.add_number(made, "fill_value", netcdf::Type::float64, config_.missing_value);
    file_->file.add_number(made, "missing_value", type, config_.missing_value);
    file_->file.add_text(made, "coordinates", "forecast_reference_time forecast_period latitude longitude");
    known = file_->variables.emplace(name, made).first;
  }
  const at::Tensor values = field.contiguous();
  file_->file.put(known->second, record, values.const_data_ptr<float>(), size);
}

void NetcdfOutput::begin(const State& state) {
  if (begun_) return;
  begun_ = true;
  if (communicator_.rank() == 0) sink_.create(config_.path);
  const fields::Points& points = *state.grid->points;
  std::vector<double> latitudes, longitudes;
  gather(communicator_,
         at::stack({at::tensor(points.latitudes, at::kDouble), at::tensor(points.longitudes, at::kDouble)}),
         state.grid->rows, [&](const std::vector<std::int64_t>& some, const at::Tensor& whole) {
           for (std::size_t i = 0; i < some.size(); ++i)
             (some[i] == 0 ? latitudes : longitudes) = to_vector(whole[static_cast<std::int64_t>(i)]);
         });
  if (communicator_.rank() != 0) return;
  const auto size = static_cast<std::size_t>(state.grid->rows.total());
  later(2 * size * sizeof(double), [this, base = state.base, size, latitudes = std::move(latitudes),
                                    longitudes = std::move(longitudes)] { define(base, size, latitudes, longitudes); });
}

void NetcdfOutput::define(Time base, std::size_t points, const std::vector<double>& latitudes,
                          const std::vector<double>& longitudes) {
  file_ = std::make_unique<File>(FileSink::unfinished(config_.path));
  netcdf::NcFile& file = file_->file;
  const auto type = config_.doubles ? netcdf::Type::float64 : netcdf::Type::float32;
  const auto texts = [&](int variable, std::initializer_list<std::pair<const char*, const char*>> all) {
    for (const auto& [name, value] : all) file.add_text(variable, name, value);
  };
  file_->time_dimension = file.add_dimension("time", 0);
  file_->values_dimension = file.add_dimension("values", points);
  const int reference = file.add_variable("forecast_reference_time", netcdf::Type::int64, {});
  texts(reference, {{"standard_name", "forecast_reference_time"},
                    {"long_name", "start time of forecast"},
                    {"units", epoch},
                    {"calendar", "standard"}});
  file.put(reference, static_cast<std::int64_t>(base.time_since_epoch().count()));
  file_->time = file.add_variable("time", netcdf::Type::int64, {file_->time_dimension});
  texts(file_->time, {{"standard_name", "time"},
                      {"long_name", "valid time"},
                      {"units", epoch},
                      {"calendar", "standard"},
                      {"axis", "T"}});
  file_->period = file.add_variable("forecast_period", netcdf::Type::int64, {file_->time_dimension});
  texts(file_->period, {{"standard_name", "forecast_period"}, {"long_name", "lead time"}, {"units", "seconds"}});
  const int latitude = file.add_variable("latitude", type, {file_->values_dimension});
  texts(latitude, {{"standard_name", "latitude"}, {"units", "degrees_north"}});
  file.put(latitude, latitudes);
  const int longitude = file.add_variable("longitude", type, {file_->values_dimension});
  texts(longitude, {{"standard_name", "longitude"}, {"units", "degrees_east"}});
  file.put(longitude, longitudes);
}

void NetcdfOutput::close() {
  sink_.flush();
  queue_.finish();
  if (file_) {
    later(0, [this] { file_->file.close(); });
    queue_.finish();
  }
  communicator_.barrier("output.close");
  if (communicator_.rank() == 0) sink_.publish();
  communicator_.barrier("output.close");
}

std::string NetcdfOutput::caution() const {
  if (sink_.unlocked() == 0) return {};
  return "no lock could be had for the output (the file system keeps none): let no other run write to " + config_.path;
}

std::vector<std::string> NetcdfOutput::files() const {
  return begun_ ? std::vector<std::string>{config_.path} : std::vector<std::string>{};
}

}  // namespace tradewind::outputs
