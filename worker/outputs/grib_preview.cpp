// What a forecast's GRIB output comes to, found before its first step: every variable of the states to come is encoded
// once without its values, and each kind of packing once with some.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "common/errors.h"
#include "worker/dist/texts.h"
#include "worker/fields/selection.h"
#include "worker/grib/geometry.h"
#include "worker/grib/path_pattern.h"
#include "worker/outputs/grib_output.h"
#include "worker/outputs/room.h"

namespace tradewind::outputs {
namespace {

// A field of some numbers, none alike to its neighbours.
std::vector<float> some_values(std::int64_t points) {
  std::vector<float> values(static_cast<std::size_t>(points));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 250.0F + 0.01F * static_cast<float>(i * 7919 % 10007);
  return values;
}

long asked_bits(const grib::Handle& from, const grib::Json& keys) {
  const auto asked = keys.find("bitsPerValue");
  return asked != keys.end() && asked->is_number_integer() ? asked->get<long>()
                                                           : from.integer("bitsPerValue").value_or(0);
}

// ecCodes packs without complaint in ways that leave nothing: 63 bits, scale factors far off, grid_complex.
void check_kept(const grib::Handle& packed, const std::vector<float>& values, long bits) {
  constexpr long few = 2;  // whoever asks for so few has a field of few numbers
  if (bits > 0 && bits <= few) return;
  const std::vector<double> kept = packed.values_double();  // of some packings ecCodes gives no floats
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i < kept.size() && std::abs(kept[i] - values[i]) <= (*most - *least) / 2) continue;
    throw UserError("the packing does not keep the values: " + grib::Json(values[i]).dump() + " becomes " +
                        (i < kept.size() ? grib::Json(kept[i]).dump() : "nothing") + " (packingType " +
                        packed.text("packingType").value_or("unknown") + ")",
                    packed.where(), "change packingType, bitsPerValue or the scale factors of `encoding`");
  }
}

// Less than the distance of points of any model; more than what edition 1 rounds to.
bool at_one_place(double given, double wanted) { return std::abs(given - wanted) <= 2e-3; }

std::string coordinates_of(const fields::Points& points, std::size_t i) {
  return "latitude " + std::to_string(points.latitudes[i]) + ", longitude " + std::to_string(points.longitudes[i]);
}

}  // namespace

std::vector<std::string> GribOutput::prepare(const Outlook& outlook) {
  const Due due = outlook.due([this](Duration step) { return wants(step); });
  std::vector<std::vector<Field>> fields;
  std::map<std::string, std::vector<Occurrence>> by_variable;
  for (const State& state : due.states) {
    fields.push_back(describe(state));
    for (std::size_t i = 0; i < fields.back().size(); ++i)
      by_variable[fields.back()[i].variable].push_back({fields.size() - 1, i});
  }
  if (by_variable.empty()) fields::refuse_nothing(config_.common, due, "output.grib");

  std::vector<const std::vector<Occurrence>*> tasks;  // this rank's
  std::size_t number = 0;
  for (const auto& [variable, uses] : by_variable)
    if (static_cast<int>(number++ % static_cast<std::size_t>(communicator_.size())) == communicator_.rank())
      tasks.push_back(&uses);
  std::vector<std::vector<Preview>> previews(tasks.size());
  threads_.start(tasks.size(), [&](std::size_t task) {
    for (const auto& [state, field] : *tasks[task])
      previews[task].push_back(preview(fields[state][field], due.states[state]));
  });
  threads_.wait();

  grib::Json own = {
      {"paths", grib::Json::array()}, {"first", 0.0}, {"last", 0.0}, {"geometries", grib::Json::object()}};
  for (std::size_t task = 0; task < tasks.size(); ++task) {
    for (std::size_t i = 0; i < tasks[task]->size(); ++i) {
      const Preview& one = previews[task][i];
      const auto [state, field] = (*tasks[task])[i];
      own["paths"].push_back(one.path);
      own["geometries"][one.geometry] = {state, field};
      if (state == 0) own["first"] = own["first"].get<double>() + one.bytes;
      if (state + 1 == fields.size()) own["last"] = own["last"].get<double>() + one.bytes;
    }
  }
  std::vector<grib::Json> found;
  std::map<std::string, Occurrence> geometries;  // one field of each
  for (const std::string& text : dist::gather_texts(communicator_, own.dump(), "output.prepare")) {
    found.push_back(grib::Json::parse(text));
    for (const auto& [geometry, one] : found.back()["geometries"].items())
      geometries.try_emplace(geometry, Occurrence{one[0].get<std::size_t>(), one[1].get<std::size_t>()});
  }
  for (const auto& [geometry, one] : geometries) check_points(fields[one.state][one.field], due.states[one.state]);
  return settle_paths(found, due.count);
}

// Each rank looks at its own rows: whatever the template and the keys of the config describe has to be where, and in
// the order in which, the values are.
void GribOutput::check_points(const Field& field, const State& state) {
  if (!state.grid->points) return;
  const auto rows = state.grid->rows.range(communicator_.rank());
  const auto count = static_cast<std::size_t>(state.grid->rows.total());
  const std::shared_ptr<const grib::Handle> from = templates_->find(field.variable);
  const grib::Handle message = grib::encode_header(*from, field.keys, count, {.check = false});
  grib::NoPoints why;
  const std::optional<fields::Points> described = grib::points_of(message, count, why);
  if (!described) return;
  const fields::Points own = described->slice(rows.begin, rows.end);
  const auto differs = fields::first_difference(own, *state.grid->points, at_one_place);
  if (!differs) return;
  throw UserError(
      "the template for " + field.variable + " is on another grid: with the keys of the config its point " +
          std::to_string(static_cast<std::size_t>(rows.begin) + *differs) + " has " + coordinates_of(own, *differs) +
          ", the forecast's has " + coordinates_of(*state.grid->points, *differs),
      from->where(), "give a template on the forecast's grid, in its order of points (output.grib.templates)");
}

GribOutput::Preview GribOutput::preview(const Field& field, const State& state) {
  try {
    const std::shared_ptr<const grib::Handle> from = templates_->find(field.variable);
    const std::int64_t count = state.grid->rows.total();
    const auto points = static_cast<std::size_t>(count);
    const grib::EncodeOptions options{.allow_nans = false, .check = config_.check_encoding};
    const grib::Handle message = grib::encode_header(*from, field.keys, points, options);
    Preview result{.path = config_.split_output ? grib::render_path(field.path, message) : field.path,
                   .geometry = message.text("md5GridSection").value_or("")};
    grib::Json kind = {from->text("packingType").value_or(""), from->integer("bitsPerValue").value_or(0),
                       from->integer("edition").value_or(0), grib::packing_keys(field.keys)};
    const std::lock_guard lock(previews_);
    const auto [known, fresh] = bytes_of_kind_.try_emplace(kind.dump());
    if (fresh) {
      const std::vector<float> values = some_values(count);
      const grib::Handle packed = grib::encode_field(*from, field.keys, values, options);
      check_kept(packed, values, asked_bits(*from, field.keys));
      const auto bits = static_cast<double>(packed.integer("bitsPerValue").value_or(0));
      known->second = std::max(static_cast<double>(points) * bits / 8, static_cast<double>(packed.bytes().size()));
    }
    result.bytes = known->second;
    return result;
  } catch (const UserError& error) {
    throw UserError(
        "cannot encode " + field.variable + " at step " + duration_text(state.step) + ": " + error.message(),
        error.where(), error.remedy());
  }
}

// What each rank found of paths and bytes.
std::vector<std::string> GribOutput::settle_paths(const std::vector<grib::Json>& found, std::int64_t states) {
  std::set<std::string> paths, files;
  double first = 0, last = 0;
  for (const grib::Json& of_rank : found) {
    for (const grib::Json& path : of_rank["paths"]) paths.insert(path.get<std::string>());
    first += of_rank["first"].get<double>();
    last += of_rank["last"].get<double>();
  }
  std::vector<std::string> warnings;
  if (communicator_.rank() == 0) {
    for (const std::string& path : paths) {
      if (sink_.is_sequential(path)) continue;
      check_place(path);
      files.insert(path);
    }
    // Fields without any variation take less, and some packings compress.
    if (!files.empty())
      warnings = check_room({files.begin(), files.end()},
                            {.first = static_cast<std::uint64_t>(context_.allow_nans ? 0 : first / 2),
                             .all = static_cast<std::uint64_t>(first + last * static_cast<double>(states - 1))});
  }
  // A path without keys is that of a file which will be written.
  if (!config_.split_output || config_.path.find('{') == std::string::npos) layout_.begin({paths.begin(), paths.end()});
  return warnings;
}

}  // namespace tradewind::outputs
