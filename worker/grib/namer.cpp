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

std::optional<std::string> Namer::name_by_rules(const Handle& message) const {
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
  return std::nullopt;
}

Identified Namer::identify(const Handle& message) const {
  Identified found{{}, key_text(message, "param").value_or("unknown"), message.text("levelist").value_or("")};
  const std::string levtype = message.text("levtype").value_or("");
  if (levtype == "sfc" || levtype == "o2d")
    found.level.clear();  // ecCodes gives a level for GRIB2 fields at the surface
  if (auto name = name_by_rules(message))
    found.name = std::move(*name);
  else if (const auto known = names_.find({found.param, found.level}); known != names_.end())
    found.name = known->second;
  else
    found.name = found.level.empty() ? found.param : found.param + "_" + found.level;
  return found;
}

}  // namespace tradewind::grib
