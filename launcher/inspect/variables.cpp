#include <algorithm>
#include <map>

#include "common/checkpoint/listing.h"
#include "launcher/inspect/facts.h"

namespace tradewind::launcher {
namespace {

// "q_850" -> ("q_", "850"); a level is what follows the last _, when it is a number.
std::pair<std::string, std::string> split_level(const std::string& name) {
  const auto bar = name.rfind('_');
  if (bar == std::string::npos || bar + 1 == name.size()) return {name, ""};
  const std::string level = name.substr(bar + 1);
  const bool number = std::all_of(level.begin(), level.end(), [](char c) { return c >= '0' && c <= '9'; });
  return number ? std::pair(name.substr(0, bar + 1), level) : std::pair(name, std::string());
}

}  // namespace

VariableGroups group_variables(const checkpoint::Metadata& metadata) {
  VariableGroups groups;
  groups.prognostic = metadata.prognostic;
  groups.diagnostic = metadata.diagnostic;
  for (const std::string& name : metadata.forcing) {
    const checkpoint::Variable& variable = metadata.variables.at(name);
    if (variable.computed_forcing) {
      groups.computed_forcings.push_back(name);
    } else {
      (variable.constant_in_time ? groups.constant_forcings : groups.dynamic_forcings).push_back(name);
    }
  }
  for (const std::string& name : metadata.output) {
    if (metadata.variables.at(name).accumulated()) groups.accumulations.push_back(name);
  }
  return groups;
}

std::vector<std::string> drawn_together(const std::vector<std::string>& names) {
  std::map<std::string, std::vector<std::string>> levels;
  for (const std::string& name : names) {
    const auto [stem, level] = split_level(name);
    if (!level.empty()) levels[stem].push_back(level);
  }
  std::vector<std::string> out;
  for (const std::string& name : names) {
    const auto [stem, level] = split_level(name);
    auto found = levels.find(stem);
    if (level.empty() || (found != levels.end() && found->second.size() == 1)) {
      out.push_back(name);
    } else if (found != levels.end()) {
      auto& all = found->second;
      std::sort(all.begin(), all.end(),
                [](const auto& a, const auto& b) { return a.size() != b.size() ? a.size() < b.size() : a < b; });
      std::string together = stem;
      together.append("{").append(checkpoint::listed(all, ",")).append("}");
      out.push_back(std::move(together));
      levels.erase(found);
    }
  }
  return out;
}

}  // namespace tradewind::launcher
