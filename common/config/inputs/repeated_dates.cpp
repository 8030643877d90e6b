#include "common/config/inputs/repeated_dates.h"

#include "common/config/inputs/inputs.h"
#include "common/config/nodes/reader.h"
#include "common/errors.h"

namespace tradewind::config {

RepeatedDatesConfig RepeatedDatesConfig::parse(const Component& component, Findings& findings) {
  const MapReader reader(component.options(""), component.key,
                         {"source", "mode", "date", "pre_processors", "variables", "purpose"}, findings);
  RepeatedDatesConfig config;
  config.source = std::make_shared<const InputConfig>(EmptyInputConfig{});
  reader.need("source", component.where, "write source: {grib: FILE}", [&](const Node& node, const std::string& key) {
    config.source = std::make_shared<const InputConfig>(parse_input(node, key, findings));
  });
  reader.need("date", component.where, "write date: '2020-01-01', the date at which the source is read",
              [&](const Node& node, const std::string& key) { config.date = as_date(node, key); });
  reader.take_set("mode", [](const Node& node, const std::string& key) { as_choice(node, key, {"constant"}); });
  reader.unsupported("pre_processors", "give them to the source, or to the run");
  refuse_common(reader);
  return config;
}

void RepeatedDatesConfig::uses(Uses& uses) const { source->uses(uses); }

bool RepeatedDatesConfig::operator==(const RepeatedDatesConfig& other) const {
  return date == other.date && *source == *other.source;
}

}  // namespace tradewind::config
