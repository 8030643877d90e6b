// Variables and what they are. Where a checkpoint says nothing, they are told by name, as the reference does.
#include <array>
#include <charconv>

#include "common/checkpoint/metadata_parts.h"
#include "common/checkpoint/typed_variables.h"

namespace tradewind::checkpoint {
namespace {

template <std::size_t n>
bool is_one_of(const std::string& name, const std::array<std::string_view, n>& names) {
  for (const std::string_view each : names) {
    if (each == name) return true;
  }
  return false;
}

constexpr std::array<std::string_view, 6> kComputedInTime = {
    "insolation", "cos_solar_zenith_angle", "cos_julian_day", "sin_julian_day", "cos_local_time", "sin_local_time"};
constexpr std::array<std::string_view, 4> kComputedConstant = {"cos_latitude", "cos_longitude", "sin_latitude",
                                                               "sin_longitude"};
constexpr std::array<std::string_view, 10> kConstant = {"z",   "lsm", "sdor", "slor", "cl",
                                                        "cvh", "cvl", "slt",  "tvh",  "tvl"};
constexpr std::array<std::string_view, 6> kAccumulated = {"cp", "tp", "sf", "ro", "ssrd", "strd"};

bool computed_flags(const std::string& name, Json& entry) {
  const bool in_time = is_one_of(name, kComputedInTime);
  if (!in_time && !is_one_of(name, kComputedConstant)) return false;
  entry["computed_forcing"] = true;
  entry["constant_in_time"] = !in_time;
  return true;
}

// A name of the form param_level, taken as a pressure level.
std::optional<std::pair<std::string, int>> param_and_level(const std::string& name) {
  const auto bar = name.find('_');
  if (bar == std::string::npos || name.find('_', bar + 1) != std::string::npos) return std::nullopt;
  int level = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + bar + 1, end, level);
  if (error != std::errc() || stop != end) return std::nullopt;
  return std::pair(name.substr(0, bar), level);
}

Json entry_by_name(const std::string& name) {
  Json entry = Json::object();
  if (computed_flags(name, entry)) return entry;
  if (const auto parts = param_and_level(name)) {
    entry["mars"] = {{"param", parts->first}, {"levelist", parts->second}, {"levtype", "pl"}};
    return entry;
  }
  entry["mars"] = {{"param", name}, {"levtype", "sfc"}};
  if (is_one_of(name, kConstant)) entry["constant_in_time"] = true;
  if (is_one_of(name, kAccumulated)) {
    entry["mars"]["type"] = "fc";
    entry["mars"]["stream"] = "oper";
    entry["process"] = "accumulation";
    entry["period"] = {0, 6};
  }
  return entry;
}

// The table as stored, mended as the reference does; the order of its keys counts.
Json variables_table(const MetadataLayout& layout, const std::vector<std::string>& names) {
  Json table = Json::object();
  const auto stored = layout.dataset.find("variables_metadata");
  if (!stored || stored->value().empty()) {
    for (const std::string& name : names) table[name] = entry_by_name(name);
  } else {
    table = stored->value();
    if (!table.is_object()) stored->fail("a table is needed");
    for (auto& [name, entry] : table.items()) {
      if (!entry.is_object()) stored->fail("the entry of " + name + " is no table");
      if (!entry.contains("mars") && entry.contains("param")) {
        const Json copy = entry;
        entry["mars"] = copy;
      }
      computed_flags(name, entry);
    }
  }
  if (const auto constants = layout.dataset.find("constant_fields")) {
    for (const std::string& name : constants->texts()) {
      if (table.contains(name)) table[name]["constant_in_time"] = true;
    }
  }
  return table;
}

bool flag(const JsonNode& entry, std::string_view key) {
  const auto value = entry.find(key);
  if (!value) return false;
  if (!value->value().is_boolean()) value->fail("true or false is needed");
  return value->value().get<bool>();
}

Process process_of(const JsonNode& entry) {
  const auto process = entry.find("process");
  if (!process) return Process::instantaneous;
  const std::string name = process->text();
  if (name == "accumulation") return Process::accumulation;
  if (name == "average" || name == "mean") return Process::average;
  if (name == "maximum" || name == "max") return Process::maximum;
  if (name == "minimum" || name == "min") return Process::minimum;
  return name == "instantaneous" ? Process::instantaneous : Process::other;
}

Variable read_variable(const std::string& name, const JsonNode& entry) {
  Variable out;
  out.name = name;
  if (const auto mars = entry.find("mars")) {
    if (!mars->value().is_object()) mars->fail("a table is needed");
    out.mars = mars->value();
  }
  out.computed_forcing = flag(entry, "computed_forcing");
  out.constant_in_time = flag(entry, "constant_in_time");
  out.process = process_of(entry);
  // A period that is no pair of durations is as good as none.
  if (const auto period = entry.find("period"); period && period->value().is_array() && period->value().size() == 2) {
    const auto ends = period->items();
    out.period = {ends[0].duration(), ends[1].duration()};
  }
  if (const auto units = entry.find("units")) out.units = units->scalar_text();
  return out;
}

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

}  // namespace

std::string Variable::param() const {
  const auto found = mars.find("param");
  return found == mars.end() || found->is_null() ? name : text_of(*found);
}

std::optional<std::string> Variable::level() const {
  const auto found = mars.find("levelist");
  if (found == mars.end() || found->is_null()) return std::nullopt;
  return text_of(*found);
}

void read_variables(const MetadataLayout& layout, Metadata& out) {
  const JsonNode names = layout.dataset.at("variables");
  out.dataset_variables = names.texts();
  const Json table = variables_table(layout, out.dataset_variables);
  const JsonNode entries(table, layout.dataset.path() + ".variables_metadata");
  for (const std::string& name : out.dataset_variables) {
    const bool fresh = out.variables.emplace(name, read_variable(name, entries.at(name))).second;
    if (!fresh) names.fail("variable " + name + " occurs twice");
  }
  for (const auto& item : table.items()) {
    if (out.variables.contains(item.key())) out.variable_order.push_back(item.key());
  }
  for (const std::string_view in_time : kComputedInTime) {
    const auto variable = out.variables.find(std::string(in_time));
    if (variable != out.variables.end() && variable->second.constant_in_time) {
      entries.fail("variable " + variable->first + " is said to be constant in time");
    }
  }
}

Metadata with_typed_variables(Metadata metadata, const Json& typed) {
  for (const auto& [name, entry] : typed.items())
    metadata.variables[name] = read_variable(name, JsonNode(entry, "typed_variables." + name));
  return metadata;
}

}  // namespace tradewind::checkpoint
