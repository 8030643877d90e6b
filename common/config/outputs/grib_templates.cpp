#include "common/config/outputs/grib_templates.h"

#include "common/config/nodes/path_text.h"
#include "common/config/nodes/reader.h"
#include "common/config/nodes/yaml_load.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

const Kinds& kinds() {
  static const Kinds templates{"template provider", {"input", "builtin", "file", "samples"}, {}, {}};
  return templates;
}

InputTemplates parse_input_templates(const Component& component) {
  const Node options = component.options("");
  InputTemplates templates;
  for (const Node::Entry& entry : options.entries) {
    templates.fallback[entry.key] = as_text(entry.value, component.key + "." + entry.key);
    templates.fallback_at[entry.key] = {component.key + "." + entry.key, entry.where.text()};
  }
  return templates;
}

FileTemplates parse_file_templates(const Component& component, Findings& findings) {
  const MapReader reader(component.options("path"), component.key, {"path", "mode", "variables"}, findings);
  FileTemplates templates;
  reader.need("path", component.where, "write file: FILE", [&](const Node& node, const std::string& key) {
    templates.path = as_path(node, key);
    templates.path_at = {key, node.where.text()};
  });
  reader.take_set("mode", [&](const Node& node, const std::string& key) {
    templates.mode = as_choice(node, key, {"auto", "first", "last"});
  });
  reader.take_set("variables", [&](const Node& node, const std::string& key) {
    auto names = as_text_or_texts(node, key);
    templates.variables_at = {key, node.where.text()};
    if (!names.empty()) templates.variables = std::move(names);
  });
  return templates;
}

SampleTemplates parse_rules(const Node& list, const std::string& key) {
  SampleTemplates templates;
  for (const Node& rule : list.items) {
    const std::string rule_key = key + "." + std::to_string(templates.rules.size());
    if (!rule.is_list() || rule.items.size() != 2) {
      throw UserError(quoted(rule_key) + " must be a list of two: what to match and the path", rule.where.text(),
                      "write [{levtype: pl}, 'samples/{levtype}.grib']");
    }
    templates.rules.emplace_back(as_map(rule.items[0], rule_key + ".0").to_json(),
                                 as_path(rule.items[1], rule_key + ".1"));
    templates.rules_at.push_back({rule_key + ".1", rule.items[1].where.text()});
  }
  return templates;
}

SampleTemplates parse_sample_templates(const Component& component, Findings& findings) {
  const Node& argument = component.argument;
  SampleTemplates templates;
  const auto take_index = [&](const Node& node, const std::string& key) {
    templates.index = as_path(node, key);
    templates.index_at = {key, node.where.text()};
    return templates;
  };
  if (argument.is_text()) return take_index(argument, component.key);
  if (argument.is_list() && argument.items.size() == 1 && argument.items[0].is_text())
    return take_index(argument.items[0], component.key);
  if (argument.is_list() && !argument.items.empty()) return parse_rules(argument, component.key);
  if (argument.is_map()) {
    const MapReader reader(argument, component.key, {"index_path"}, findings);
    const Node* index = reader.find_set("index_path");
    if (index == nullptr && reader.meant("index_path")) return templates;
    if (index != nullptr) return take_index(*index, reader.path("index_path"));
  }
  throw UserError(quoted(component.key) + " needs rules or the path of an index", component.where.text(),
                  "write samples: [[{levtype: pl}, 'samples/{levtype}.grib'], ...] or samples: index.yaml");
}

TemplateConfig parse_template(const Component& component, Findings& findings) {
  if (component.is("input")) return parse_input_templates(component);
  if (component.is("file")) return parse_file_templates(component, findings);
  if (component.is("samples")) return parse_sample_templates(component, findings);
  if (!component.is("builtin")) refuse(component, kinds());
  const MapReader reader(component.options(""), component.key, {"index_path"}, findings);
  reader.unsupported("index_path", "use `samples` with an index: this build makes its builtin templates");
  return BuiltinTemplates{};
}

void add_uses(const InputTemplates& input, Uses& uses) {
  for (const auto& [name, from] : input.fallback)
    for (const std::string& variable : {name, from})
      uses.names.push_back({NameUse::Must::be_variable, variable, input.fallback_at.at(name)});
}

void add_uses(const BuiltinTemplates&, Uses&) {}

void add_uses(const FileTemplates& file, Uses& uses) {
  uses.paths.push_back({.path = file.path, .role = "the template", .at = file.path_at});
  if (!file.variables) return;
  for (const std::string& name : *file.variables)
    uses.names.push_back({NameUse::Must::be_variable, name, file.variables_at});
}

void add_uses(const SampleTemplates& samples, Uses& uses) {
  const auto add = [&](const std::string& path, const Origin& at) {
    uses.paths.push_back({.names = PathUse::Names::keys, .path = path, .role = "the template", .at = at});
  };
  for (std::size_t i = 0; i < samples.rules.size(); ++i)
    add(samples.rules[i].second, i < samples.rules_at.size() ? samples.rules_at[i] : Origin{});
  if (samples.index.empty()) return;
  uses.paths.push_back({.path = samples.index, .role = "the index of templates", .at = samples.index_at});
  std::vector<std::string> ignored;
  Node rules;
  try {
    rules = load_yaml_file(samples.index, {}, ignored);
  } catch (const UserError&) {
    return;  // told where it is used
  }
  for (const Node& rule : rules.items)
    if (rule.items.size() == 2 && rule.items[1].is_text()) add(rule.items[1].text(), {{}, rule.items[1].where.text()});
}

}  // namespace

void add_uses(const TemplateConfig& provider, Uses& uses) {
  std::visit([&](const auto& kind) { add_uses(kind, uses); }, provider);
}

std::vector<TemplateConfig> parse_templates(const Node& node, const std::string& key, Findings& findings) {
  std::vector<TemplateConfig> templates;
  const auto add = [&](const Node& item, const std::string& item_key) {
    findings.attempt([&] { templates.push_back(parse_template(as_component(item, item_key), findings)); });
  };
  if (!node.is_list()) {
    add(node, key);
    return templates;
  }
  std::size_t index = 0;
  for (const Node& item : node.items) add(item, key + "." + std::to_string(index++));
  return templates;
}

}  // namespace tradewind::config
