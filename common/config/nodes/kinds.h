// A family of kinds (inputs, filters, outputs) is a variant, and the list of its alternatives is the table of what this
// build has. Each alternative is a plain struct with
//   static constexpr const char* kind                       its name in a configuration
//   static T parse(const Component&, Findings&)             its options, all of them checked
//   void uses(Uses&) const                                  what it asks of its surroundings
// Pure functions.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/config/nodes/component.h"
#include "common/config/nodes/findings.h"

namespace tradewind::config {

template <typename... Each>
std::vector<std::string> kind_names(const std::variant<Each...>* /*family*/) {
  return {Each::kind...};
}

// nullopt when no alternative has the component's name.
template <typename Family, typename... Each>
std::optional<Family> parse_kind(const std::variant<Each...>* /*family*/, const Component& component,
                                 Findings& findings) {
  std::optional<Family> parsed;
  const bool found = ((component.is(Each::kind) && (parsed.emplace(Each::parse(component, findings)), true)) || ...);
  return found ? parsed : std::nullopt;
}

// `Family`: a struct derived from the variant.
template <typename Family>
std::vector<std::string> kind_names() {
  return kind_names(static_cast<const Family*>(nullptr));
}
template <typename Family>
Family parse_kind(const Component& component, const Kinds& kinds, Findings& findings) {
  if (auto parsed = parse_kind<Family>(static_cast<const Family*>(nullptr), component, findings))
    return std::move(*parsed);
  refuse(component, kinds);
}

}  // namespace tradewind::config
