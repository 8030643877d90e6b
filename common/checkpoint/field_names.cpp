#include "common/checkpoint/field_names.h"

#include <set>

namespace tradewind::checkpoint {

FieldNames::FieldNames(const Metadata& metadata) : metadata_(metadata) {
  std::set<std::pair<std::string, std::string>> ambiguous;
  for (const auto& [name, variable] : metadata.variables) {
    const std::pair key(variable.param(), variable.level().value_or(""));
    if (!names_.emplace(key, name).second) ambiguous.insert(key);
  }
  for (const auto& key : ambiguous) names_.erase(key);
}

std::string FieldNames::name_of(const std::string& param, const std::string& level) const {
  if (const auto name = names_.find({param, level}); name != names_.end()) return name->second;
  return level.empty() ? param : param + "_" + level;
}

ParamLevel FieldNames::identity_of(const std::string& variable) const {
  const auto known = metadata_.variables.find(variable);
  if (known == metadata_.variables.end()) return {variable, ""};
  return {known->second.param(), known->second.level().value_or("")};
}

}  // namespace tradewind::checkpoint
