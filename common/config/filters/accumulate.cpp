#include "common/config/filters/accumulate.h"

#include "common/config/nodes/reader.h"

namespace tradewind::config {

AccumulateFromStart AccumulateFromStart::parse(const Component& component, Findings& findings) {
  const MapReader reader(component.options(""), component.key, {"accumulations", "allow_negative"}, findings);
  AccumulateFromStart accumulate;
  accumulate.at = {component.key, component.where.text()};
  reader.take_set("accumulations", [&](const Node& node, const std::string& key) {
    accumulate.accumulations = as_texts(node, key);
    for (const Node& item : node.items)
      accumulate.accumulations_at.push_back(
          {key + "." + std::to_string(accumulate.accumulations_at.size()), item.where.text()});
  });
  reader.take_set("allow_negative",
                  [&](const Node& node, const std::string& key) { accumulate.allow_negative = as_boolean(node, key); });
  return accumulate;
}

void AccumulateFromStart::uses(Uses& uses) const {
  if (!accumulations) uses.names.push_back({.must = NameUse::Must::be_accumulations, .name = {}, .at = at});
  for (std::size_t i = 0; accumulations && i < accumulations->size(); ++i)
    uses.names.push_back({.must = NameUse::Must::be_forecast,
                          .name = (*accumulations)[i],
                          .at = accumulations_at.at(i),
                          .beside = *accumulations});
}

}  // namespace tradewind::config
