#include "worker/grib/identity.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "common/errors.h"
#include "worker/grib/namer.h"

namespace tradewind::grib {
namespace {

// paramId for whole numbers, param for 130.128, else a short name.
std::string param_key(const std::string& param) {
  char* end = nullptr;
  std::strtol(param.c_str(), &end, 10);
  if (!param.empty() && *end == '\0') return "paramId";
  std::strtod(param.c_str(), &end);
  return !param.empty() && *end == '\0' ? "param" : "shortName";
}

Json param_value(const std::string& param, const std::string& key) {
  return key == "paramId" ? Json(std::strtol(param.c_str(), nullptr, 10)) : Json(param);
}

long whole_hours(Duration value, const std::string& variable) {
  if (value % std::chrono::hours(1) != Duration::zero())
    throw UserError("GRIB steps are whole hours, but one of " + variable + " is " + duration_text(value), "",
                    "choose an output that takes such steps, or a model with whole hours");
  return std::chrono::duration_cast<std::chrono::hours>(value).count();
}

long date_number(Time time) {
  const CivilTime at = civil(time);
  return at.year * 10000L + at.month * 100L + at.day;
}

const char* step_type(const checkpoint::Variable& variable) {
  switch (variable.process) {
    case checkpoint::Process::accumulation:
      return "accum";
    case checkpoint::Process::average:
      return "avg";
    case checkpoint::Process::maximum:
      return "max";
    case checkpoint::Process::minimum:
      return "min";
    case checkpoint::Process::instantaneous:
      return "instant";
    case checkpoint::Process::other:
      break;
  }
  throw UserError(
      "the checkpoint processes variable " + variable.name + " in time in a way that GRIB output does not know",
      "output.grib", "leave the variable out with `variables: {drop: " + variable.name + "}`");
}

void set_default(Json& keys, const std::string& key, const Json& value) {
  if (!keys.contains(key)) keys[key] = value;
}

void set_steps(Json& keys, const checkpoint::Variable& variable, const FieldTime& time, long edition, bool ensemble,
               const std::map<std::string, Duration>& start_steps) {
  if (variable.process == checkpoint::Process::instantaneous) {
    keys["step"] = whole_hours(time.step, variable.name);
    keys["stepType"] = "instant";
    return;
  }
  Duration start = time.previous_step, end = time.step;
  if (variable.period && variable.period->second != variable.period->first) {
    start = end - (variable.period->second - variable.period->first);
    if (start < Duration::zero()) {  // the period began before the forecast did: move its base back
      const Time base = time.base + start;
      const CivilTime at = civil(base);
      keys["date"] = date_number(base);
      keys["time"] = at.hour * 100 + at.minute;
      end -= start;
      start = Duration::zero();
    }
  }
  if (const auto given = start_steps.find(variable.name); given != start_steps.end()) start = given->second;
  keys["startStep"] = whole_hours(start, variable.name);
  keys["endStep"] = whole_hours(end, variable.name);
  keys["stepType"] = step_type(variable);
  if (edition != 1) keys["productDefinitionTemplateNumber"] = ensemble ? 11 : 8;
}

void set_mars_keys(Json& keys, const checkpoint::Variable& variable, bool local_use) {
  static constexpr std::array<const char*, 13> from_elsewhere = {
      "domain", "type",  "expver", "class",    "param",          "number",  "step",
      "date",   "hdate", "time",   "timespan", "valid_datetime", "variable"};
  for (const auto& [key, value] : variable.mars.items()) {
    if (std::find(from_elsewhere.begin(), from_elsewhere.end(), key) != from_elsewhere.end()) continue;
    if (key == "stream") {
      if (local_use && (value == "oper" || value == "wave")) set_default(keys, key, value);
    } else if (key == "levtype") {
      static const std::map<std::string, std::string> types = {
          {"pl", "isobaricInhPa"}, {"ml", "hybrid"}, {"pt", "theta"}, {"pv", "potentialVorticity"}};
      if (const auto type = types.find(plain_text(value)); type != types.end())
        set_default(keys, "typeOfLevel", type->second);
    } else {
      set_default(keys, key == "levelist" ? "level" : key, value);
    }
  }
}

int rank_of(const std::string& key) {
  static constexpr std::array<const char*, 6> first = {
      "edition", "typeOfLevel", "stepType", "productDefinitionTemplateNumber", "eps", "number"};
  return static_cast<int>(std::find(first.begin(), first.end(), key) - first.begin());
}

}  // namespace

KeyRules KeyRules::from(const config::GribOutputConfig& config) {
  KeyRules rules{.encoding = config.encoding, .grib1_keys = config.grib1_keys, .grib2_keys = config.grib2_keys};
  for (const Json* keys : {&config.grib1_keys, &config.grib2_keys, &config.encoding}) {
    if (keys->contains("eps")) {
      const Json& eps = (*keys)["eps"];
      rules.ensemble = eps.is_boolean() ? eps.get<bool>() : eps.is_number() ? eps.get<double>() != 0 : !eps.is_null();
      break;
    }
    if (keys->contains("type") && ((*keys)["type"] == "pf" || (*keys)["type"] == "cf")) {
      rules.ensemble = true;
      break;
    }
  }
  return rules;
}

Json grib_keys(const checkpoint::Variable& variable, const TemplateFacts& message_template, const KeyRules& rules,
               const FieldTime& time, const std::map<std::string, Duration>& start_steps) {
  Json keys = rules.encoding;
  const Json given = keys.value("edition", Json());
  const long edition = given.is_number() ? given.get<long>() : message_template.edition;
  if (edition != 1 && edition != 2)
    throw UserError("GRIB edition " + std::to_string(edition) + " is not known", "output.grib.encoding.edition",
                    "use 1 or 2");
  if (edition == 1) keys.erase("typeOfGeneratingProcess");
  keys["edition"] = edition;

  const std::string param = param_of(variable), name = param_key(param);
  set_default(keys, name, param_value(param, name));
  const Json& extra = edition == 1 ? rules.grib1_keys : rules.grib2_keys;
  if (const auto more = extra.find(param); more != extra.end()) keys.update(*more);

  set_default(keys, "type", "fc");
  if (keys["type"] == "an" || keys["type"] == "fc") {
    const Json type = keys["type"];
    keys.erase("type");
    set_default(keys, "dataType", type);
  }
  keys["date"] = date_number(time.base);
  keys["time"] = civil(time.base).hour * 100;  // minutes are not kept, as in the reference
  set_steps(keys, variable, time, edition, rules.ensemble, start_steps);
  set_mars_keys(keys, variable, message_template.local);

  std::vector<std::pair<std::string, Json>> ordered;
  for (const auto& [key, value] : keys.items())
    if (!value.is_null()) ordered.emplace_back(key, value);
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const auto& a, const auto& b) { return rank_of(a.first) < rank_of(b.first); });
  Json result = Json::object();
  for (auto& [key, value] : ordered) result[key] = std::move(value);
  return result;
}

Time encoded_base(const Json& keys) {
  const long date = keys.at("date").get<long>(), time = keys.at("time").get<long>();
  return std::chrono::sys_days(std::chrono::year(static_cast<int>(date / 10000)) /
                               std::chrono::month(static_cast<unsigned>(date % 10000 / 100)) /
                               std::chrono::day(static_cast<unsigned>(date % 100))) +
         std::chrono::hours(time / 100) + std::chrono::minutes(time % 100);
}

}  // namespace tradewind::grib
