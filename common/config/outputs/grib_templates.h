// Where GRIB messages to be filled come from, asked in turn. Plain values.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/config/nodes/component.h"
#include "common/config/nodes/findings.h"
#include "common/config/nodes/uses.h"

namespace tradewind::config {

struct InputTemplates {
  std::map<std::string, std::string> fallback;  // variable -> variable whose message serves
  std::map<std::string, Origin> fallback_at;    // of each variable
};
struct BuiltinTemplates {};
struct FileTemplates {
  std::string path;
  std::string mode = "first";  // first, last, auto
  std::optional<std::vector<std::string>> variables;
  Origin variables_at = {}, path_at = {};
};
struct SampleTemplates {
  std::vector<std::pair<Json, std::string>> rules;  // match -> path, which may hold {key}
  std::string index;                                // or a YAML file with those rules
  std::vector<Origin> rules_at = {};                // of each rule's path
  Origin index_at = {};
};
using TemplateConfig = std::variant<InputTemplates, BuiltinTemplates, FileTemplates, SampleTemplates>;

std::vector<TemplateConfig> parse_templates(const Node& node, const std::string& key, Findings& findings);
// Reads the index, if there is one, for what it names.
void add_uses(const TemplateConfig& provider, Uses& uses);

}  // namespace tradewind::config
