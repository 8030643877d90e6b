#include "worker/grib/namer.h"

#include "common/errors.h"

namespace tradewind::grib {

std::string plain_text(const checkpoint::Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string param_of(const checkpoint::Variable& variable) {
  const auto param = variable.mars.find("param");
  return param == variable.mars.end() || param->is_null() ? variable.name : plain_text(*param);
}

std::string level_of(const checkpoint::Variable& variable) {
  const auto level = variable.mars.find("levelist");
  return level == variable.mars.end() || level->is_null() ? std::string() : plain_text(*level);
}

std::optional<std::string> key_text(const Handle& message, const std::string& key) {
  const std::string name = key == "param" ? "shortName" : key;
  auto value = message.text(name);
  if (name == "shortName" && value == "~") value = message.text("paramId");
  return value;
}

Namer::Namer(const checkpoint::Metadata& metadata, std::vector<config::NamerRule> rules) : rules_(std::move(rules)) {
  std::set<std::pair<std::string, std::string>> ambiguous;
  for (const auto& [name, variable] : metadata.variables) {
    const std::pair key(param_of(variable), level_of(variable));
    if (!names_.emplace(key, name).second) ambiguous.insert(key);
  }
  for (const auto& key : ambiguous) names_.erase(key);
}

std::string Namer::operator()(const Handle& message) const {
  for (const auto& rule : rules_) {
    bool matches = true;
    for (const auto& [key, value] : rule.match) matches = matches && key_text(message, key) == value;
    if (!matches) continue;
    std::string name;
    for (std::size_t at = 0; at < rule.name.size();) {
      const std::size_t open = rule.name.find('{', at), close = rule.name.find('}', open);
      if (open == std::string::npos || close == std::string::npos) {
        name += rule.name.substr(at);
        break;
      }
      const std::string key = rule.name.substr(open + 1, close - open - 1);
      const auto value = key_text(message, key);
      if (!value)
        throw UserError("the namer's rule asks for key " + key + ", which the message lacks", message.where());
      name += rule.name.substr(at, open - at) + *value;
      at = close + 1;
    }
    return name;
  }
  const std::string param = key_text(message, "param").value_or("unknown");
  const std::string levtype = message.text("levtype").value_or("");
  std::string level = message.text("levelist").value_or("");
  if (levtype == "sfc" || levtype == "o2d") level.clear();  // ecCodes gives a level for GRIB2 fields at the surface
  if (const auto known = names_.find({param, level}); known != names_.end()) return known->second;
  return level.empty() ? param : param + "_" + level;
}

}  // namespace tradewind::grib
