#include "launcher/requests/requests.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "common/errors.h"
#include "common/nearest.h"

namespace tradewind::launcher {
namespace {

template <typename List>
bool holds(const List& list, const std::string& one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

std::set<std::string> categories_of(const checkpoint::Metadata& metadata, const checkpoint::Variable& variable) {
  std::set<std::string> found;
  if (holds(metadata.prognostic, variable.name)) found.insert("prognostic");
  if (holds(metadata.forcing, variable.name)) found.insert("forcing");
  if (holds(metadata.diagnostic, variable.name)) found.insert("diagnostic");
  if (variable.accumulated()) found.insert("accumulation");
  if (variable.constant_in_time) found.insert("constant");
  if (variable.computed_forcing) found.insert("computed");
  return found;
}

// `a+b`: of both kinds.
bool any_fits(const Categories& wanted, const std::set<std::string>& found) {
  return std::any_of(wanted.begin(), wanted.end(), [&](const std::string& together) {
    for (std::size_t begin = 0; begin <= together.size();) {
      const std::size_t end = std::min(together.find('+', begin), together.size());
      if (!found.contains(together.substr(begin, end - begin))) return false;
      begin = end + 1;
    }
    return true;
  });
}

// What the dataset was made of: its own request, in older files the first source's that knows the grid.
const Json* data_request_in(const Json& node) {
  if (!node.is_structured()) return nullptr;
  if (node.is_object()) {
    const auto own = node.find("data_request");
    if (own != node.end() && own->is_object() && own->contains("grid")) return &*own;
  }
  for (const Json& part : node)
    if (const Json* found = data_request_in(part)) return found;
  return nullptr;
}

// Grid and area of every request; an area that is nearly the globe is the globe.
void add_geometry(const checkpoint::Metadata& metadata, Json& request) {
  const auto dataset = metadata.raw.find("dataset");
  if (dataset == metadata.raw.end()) return;
  const Json* part = &*dataset;
  if (metadata.multi_dataset_layout && part->is_object() && part->contains(metadata.dataset))
    part = &part->at(metadata.dataset);
  const Json* made = data_request_in(*part);
  if (made == nullptr) return;
  if (const Json& grid = made->at("grid"); !grid.is_null()) request["grid"] = grid;
  const auto area = made->find("area");
  if (area == made->end() || !area->is_array() || area->size() != 4) return;
  if (!std::all_of(area->begin(), area->end(), [](const Json& one) { return one.is_number(); })) return;
  const auto edge = [&](std::size_t at) { return area->at(at).get<double>(); };
  constexpr double nearly = 0.98, of_latitude = 180, of_longitude = 360;
  const double share = (edge(0) - edge(2)) * (edge(3) - edge(1)) / of_latitude / of_longitude;
  request["area"] = share > nearly ? Json::array({90, 0.0, -90, 360}) : *area;
}

// What a filter makes is not asked for, but what it makes it of.
void change(Json& request, const config::TransformConfig& filter) {
  const auto found = request.find("param");
  if (found == request.end()) return;
  Json& params = *found;
  if (const auto* waves = std::get_if<config::CosSinMeanWaveDirection>(&filter)) {
    Json kept = Json::array();
    for (const Json& one : params)
      if (one != waves->cosine && one != waves->sine) kept.push_back(one);
    if (kept.size() != params.size()) kept.push_back(waves->direction);
    params = std::move(kept);
  } else if (const auto* orography = std::get_if<config::OrogToZ>(&filter)) {
    const bool on_levels =
        request.contains("levelist") || request.value("levtype", Json::array()) == Json::array({"pl"});
    if (holds(params, orography->geopotential) && holds(params, orography->orography))
      throw UserError("orography and geopotential cannot both be asked for", "orog_to_z", "leave one of them out");
    if (!on_levels) return;
    for (Json& one : params) {
      if (one == orography->geopotential)
        one = orography->orography;
      else if (one == orography->orography)
        one = orography->geopotential;
    }
  }
}

void change(Json& request, const RequestOptions& options) {
  for (const config::PreProcessor& one : options.pre_processors)
    if (const auto* forward = std::get_if<config::ForwardTransform>(&one)) change(request, forward->transform);
  for (const config::FilterConfig& one : options.post_processors)
    if (const auto* forward = std::get_if<config::ForwardTransform>(&one)) change(request, forward->transform);
}

std::string two_digits(int number) {
  constexpr int ten = 10;
  return {static_cast<char>('0' + number / ten), static_cast<char>('0' + number % ten)};
}

// ECMWF's operational analyses and forecasts of 06 and 18 UTC are of the stream scda.
void take_scda(Json& request) {
  const auto text = [&](const char* key, const char* absent) { return request.value(key, Json(absent)); };
  if (text("class", "od") != "od") return;
  if (text("type", "an") != "an" && text("type", "an") != "fc") return;
  if (text("stream", "oper") != "oper" && text("stream", "oper") != "scda") return;
  if (const Json time = text("time", "1200"); time == "0600" || time == "1800") request["stream"] = "scda";
}

}  // namespace

const std::vector<std::string>& known_categories() {
  static const std::vector<std::string> names = {"accumulation", "computed", "constant",
                                                 "diagnostic",   "forcing",  "prognostic"};
  return names;
}

const std::vector<std::string>& input_types() {
  static const std::vector<std::string> names = {"constant-forcings", "default-input", "dynamic-forcings",
                                                 "prognostics"};
  return names;
}

std::optional<Selection> selection_of(const std::string& input_type) {
  if (input_type == "default-input") return Selection{{"prognostic", "forcing"}, {"computed", "diagnostic"}};
  if (input_type == "constant-forcings")
    return Selection{{"constant+forcing"}, {"computed", "diagnostic", "prognostic"}};
  if (input_type == "dynamic-forcings") return Selection{{"forcing"}, {"computed", "constant"}};
  if (input_type == "prognostics") return Selection{{"prognostic"}, {"computed", "diagnostic", "forcing"}};
  return std::nullopt;
}

std::vector<std::string> selected_variables(const checkpoint::Metadata& metadata, const Selection& selection) {
  std::vector<std::string> names;
  for (const std::string& name : metadata.variable_order) {
    const checkpoint::Variable& variable = metadata.variables.at(name);
    const auto found = categories_of(metadata, variable);
    if (!any_fits(selection.exclude, found) && any_fits(selection.include, found)) names.push_back(name);
  }
  return names;
}

std::vector<Json> requests_for(const checkpoint::Metadata& metadata, const RequestOptions& options) {
  // By what requests are always made apart by, in the order in which it comes.
  std::vector<std::vector<Json>> groups;
  std::map<std::string, std::size_t> places;
  for (const std::string& name : selected_variables(metadata, options.selection)) {
    Json field = metadata.variables.at(name).mars;
    if (field.empty()) continue;
    for (const char* own : {"date", "hdate", "time", "valid_datetime", "variable"}) field.erase(own);
    for (const Time date : options.dates) {
      const CivilTime at = civil(date);
      field["date"] = iso_date(date).substr(0, 10);
      field["time"] = two_digits(at.hour) + two_digits(at.minute);
      Json apart = Json::array();
      for (const char* key : {"class", "expver", "type", "stream", "levtype"})
        apart.push_back(field.value(key, Json()));
      if (options.split_times) apart.push_back(field["time"]);
      const auto [place, added] = places.try_emplace(apart.dump(), groups.size());
      if (added) groups.emplace_back();
      groups[place->second].push_back(field);
    }
  }
  std::vector<Json> requests;
  for (std::vector<Json>& group : groups) {
    for (Json& request : put_together(std::move(group))) {
      change(request, options);
      for (auto& [key, values] : request.items()) {
        std::sort(values.begin(), values.end());
        values.erase(std::unique(values.begin(), values.end()), values.end());
        if (values.size() == 1) values = Json(values.front());
      }
      add_geometry(metadata, request);
      for (const auto& [key, value] : options.extra) request[key] = value;
      if (options.split_times) take_scda(request);
      requests.push_back(std::move(request));
    }
  }
  return requests;
}

std::string mars_text(const std::string& verb, const Json& request) {
  const auto text_of = [](const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); };
  std::string text = verb;
  for (const auto& [key, value] : request.items()) {
    std::string values;
    for (const Json& one : value.is_array() ? value : Json::array({value}))
      values.append(values.empty() ? "" : "/").append(text_of(one));
    text.append(",\n   ").append(key).append("=").append(values);
  }
  return text + "\n";
}

}  // namespace tradewind::launcher
