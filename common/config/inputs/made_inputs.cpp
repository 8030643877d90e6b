#include "common/config/inputs/made_inputs.h"

#include "common/config/nodes/reader.h"

namespace tradewind::config {

DummyInputConfig DummyInputConfig::parse(const Component& component, Findings& findings) {
  const MapReader no_options(component.options(""), component.key, {}, findings);
  return {};
}

EmptyInputConfig EmptyInputConfig::parse(const Component& component, Findings& findings) {
  const MapReader no_options(component.options(""), component.key, {}, findings);
  return {};
}

}  // namespace tradewind::config
