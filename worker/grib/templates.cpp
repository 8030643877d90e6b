#include "worker/grib/templates.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <filesystem>

#include "common/errors.h"
#include "worker/grib/scan.h"

namespace tradewind::grib {
namespace {

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

Json process_name(checkpoint::Process process) {
  switch (process) {
    case checkpoint::Process::accumulation:
      return "accumulation";
    case checkpoint::Process::average:
      return "average";
    case checkpoint::Process::maximum:
      return "maximum";
    case checkpoint::Process::minimum:
      return "minimum";
    case checkpoint::Process::instantaneous:
    case checkpoint::Process::other:
      break;
  }
  return nullptr;
}

Handle message_of(const std::string& path, bool last) {
  const FileReader file(path);
  const auto extents = scan_messages(file, path);
  if (extents.empty()) throw UserError("the GRIB template file is empty", path);
  const std::size_t number = last ? extents.size() : 1;
  const Extent& extent = extents[number - 1];
  return Handle::from_bytes(file.read(extent), location(path, number, extent.offset));
}

bool matches(const Json& conditions, const Json& lookup) {
  for (const auto& [key, wanted] : conditions.items()) {
    const Json value = lookup.value(key, Json());
    const bool found =
        wanted.is_array() ? std::find(wanted.begin(), wanted.end(), value) != wanted.end() : wanted == value;
    if (!found) return false;
  }
  return true;
}

UserError unknown_key(const std::string& path, const std::string& key, const std::string& variable) {
  return UserError("the template path '" + path + "' asks for '" + key + "', which is not known for " + variable,
                   "output.grib.templates");
}

std::string fill_in(const std::string& path, const Json& lookup) {
  std::string result;
  std::size_t at = 0;
  while (true) {
    const std::size_t open = path.find('{', at), close = path.find('}', open);
    if (open == std::string::npos || close == std::string::npos) return result + path.substr(at);
    const std::string key = path.substr(open + 1, close - open - 1);
    if (!lookup.contains(key)) throw unknown_key(path, key, plain_text(lookup["name"]));
    result.append(path, at, open - at).append(plain_text(lookup[key]));
    at = close + 1;
  }
}

Json json_of(const YAML::Node& node) {
  if (node.IsMap()) {
    Json object = Json::object();
    for (const auto& entry : node) object[entry.first.as<std::string>()] = json_of(entry.second);
    return object;
  }
  if (node.IsSequence()) {
    Json list = Json::array();
    for (const auto& entry : node) list.push_back(json_of(entry));
    return list;
  }
  if (!node.IsScalar()) return nullptr;
  if (node.Tag() != "!") {  // not quoted
    if (long value = 0; YAML::convert<long>::decode(node, value)) return value;
    if (double value = 0; YAML::convert<double>::decode(node, value)) return value;
  }
  return node.Scalar();
}

std::vector<std::pair<Json, std::string>> read_index(const std::string& path) {
  const auto bad = [&](const std::string& why) {
    return UserError("the index of GRIB templates cannot be used: " + why, path,
                     "it is a list of [conditions, path of a GRIB file]");
  };
  std::vector<std::pair<Json, std::string>> rules;
  try {
    for (const Json& rule : json_of(YAML::LoadFile(path))) {
      if (!rule.is_array() || rule.size() != 2 || !rule[0].is_object() || !rule[1].is_string())
        throw bad("found " + rule.dump());
      rules.emplace_back(rule[0], rule[1].get<std::string>());
    }
  } catch (const YAML::Exception& error) {
    throw bad(error.what());
  }
  return rules;
}

}  // namespace

Templates::Templates(std::vector<config::TemplateConfig> providers, const checkpoint::Metadata& metadata,
                     std::shared_ptr<const TemplateSet> input, std::optional<Corners> corners, Json encoding)
    : providers_(std::move(providers)),
      metadata_(metadata),
      input_(std::move(input)),
      corners_(corners),
      encoding_(std::move(encoding)) {
  if (providers_.empty()) providers_ = {config::InputTemplates{}, config::BuiltinTemplates{}};
  if (input_ && !input_->messages.empty())
    grid_ = grid_name(Handle::from_bytes(input_->messages.begin()->second(), "input message"));
  if (grid_.empty()) grid_ = metadata_.grid;
  grid_ = upper(grid_);
  for (auto& provider : providers_)
    if (auto* samples = std::get_if<config::SampleTemplates>(&provider); samples && !samples->index.empty())
      samples->rules = read_index(samples->index);
}

std::shared_ptr<const Handle> Templates::find(const std::string& variable) {
  const std::lock_guard lock(mutex_);
  const auto typed = metadata_.variables.find(variable);
  checkpoint::Variable unknown;
  unknown.name = variable;
  Found found;
  for (const auto& provider : providers_) {
    found = std::visit(
        [&](const auto& kind) { return from(kind, typed == metadata_.variables.end() ? unknown : typed->second); },
        provider);
    if (found) break;
  }
  return found;
}

std::optional<TemplateFacts> Templates::facts(const std::string& variable) {
  if (const auto known = facts_.find(variable); known != facts_.end()) return known->second;
  std::optional<TemplateFacts> facts;
  if (const auto found = find(variable)) facts.emplace(*found);
  return facts_[variable] = facts;
}

std::string Templates::tried(const std::string& variable) const {
  std::string names;
  for (const auto& provider : providers_) {
    static constexpr std::array<const char*, 4> kinds = {"input", "builtin", "file", "samples"};
    names += (names.empty() ? "" : ", ") + std::string(kinds[provider.index()]);
  }
  return "no GRIB template for " + variable + " (tried " + names + "; grid " + (grid_.empty() ? "unknown" : grid_) +
         ")";
}

Templates::Found Templates::from(const config::InputTemplates& provider, const checkpoint::Variable& variable) {
  if (!input_) return nullptr;
  auto message = input_->messages.find(variable.name);
  if (message == input_->messages.end())
    if (const auto other = provider.fallback.find(variable.name); other != provider.fallback.end())
      message = input_->messages.find(other->second);
  if (message == input_->messages.end()) return nullptr;
  return std::make_shared<Handle>(
      Handle::from_bytes(message->second(), "template from the input's field " + message->first));
}

Templates::Found Templates::from(const config::BuiltinTemplates&, const checkpoint::Variable& variable) {
  const Json keys = lookup(variable);
  const std::string grid = plain_text(keys.value("grid", Json("")));
  const bool pressure_level = keys.value("levtype", Json()) == "pl";
  Found& made = made_[std::string("builtin ") + (pressure_level ? "pl " : "") + grid];
  if (!made)
    if (auto handle = make_builtin(grid, pressure_level, corners_)) made = std::make_shared<Handle>(std::move(*handle));
  return made;
}

Templates::Found Templates::from(const config::FileTemplates& provider, const checkpoint::Variable& variable) {
  if (provider.variables && !provider.variables->empty() &&
      std::find(provider.variables->begin(), provider.variables->end(), variable.name) == provider.variables->end())
    return nullptr;
  if (!std::filesystem::exists(provider.path))
    throw UserError("the GRIB template file does not exist", provider.path, "check `templates` in the config");
  if (provider.mode != "auto") {
    Found& made = made_[provider.mode + " " + provider.path];
    if (!made) made = std::make_shared<Handle>(message_of(provider.path, provider.mode == "last"));
    return made;
  }
  Found& made = made_["auto " + variable.name + " " + provider.path];
  if (made) return made;
  const Namer namer(metadata_);
  const FileReader file(provider.path);
  std::size_t number = 0;
  for (const Extent& extent : scan_messages(file, provider.path)) {
    Handle message = Handle::from_bytes(file.read(extent), location(provider.path, ++number, extent.offset));
    if (namer(message) == variable.name) return made = std::make_shared<Handle>(std::move(message));
  }
  return nullptr;
}

Templates::Found Templates::from(const config::SampleTemplates& provider, const checkpoint::Variable& variable) {
  const Json keys = lookup(variable);
  for (const auto& [conditions, pattern] : provider.rules) {
    if (!matches(conditions, keys)) continue;
    const std::string path = fill_in(pattern, keys);
    if (!std::filesystem::exists(path)) return nullptr;
    Found& made = made_["first " + path];
    if (!made) made = std::make_shared<Handle>(message_of(path, false));
    return made;
  }
  return nullptr;
}

Json Templates::lookup(const checkpoint::Variable& variable) const {
  char* end = nullptr;
  const double increment = std::strtod(grid_.c_str(), &end);
  const bool number = !grid_.empty() && *end == '\0';  // conditions compare 0.25 as a number
  Json keys = {{"name", variable.name},
               {"grid", number ? Json(increment) : Json(grid_)},
               {"time_processing", process_name(variable.process)},
               {"number_of_grid_points", metadata_.grid_points}};
  for (const auto& [key, value] : variable.mars.items())
    if (key != "step" && key != "date" && key != "time" && key != "hdate") keys[key] = value;
  keys.update(encoding_);
  return keys;
}

}  // namespace tradewind::grib
