#include "common/config/parse.h"
#include "common/config/reader.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

const Kinds& kinds() {
  static const Kinds templates{"template provider", {"input", "builtin", "file", "samples"}, {}};
  return templates;
}

InputTemplates parse_input_templates(const Component& component) {
  const Node options = component.options("");
  InputTemplates templates;
  for (const Node::Entry& entry : options.entries) {
    templates.fallback[entry.key] = as_text(entry.value, component.key + "." + entry.key);
  }
  return templates;
}

FileTemplates parse_file_templates(const Component& component) {
  const MapReader reader(component.options("path"), component.key, {"path", "mode", "variables"});
  FileTemplates templates;
  const Node* path = reader.find_set("path");
  if (path == nullptr) {
    throw UserError("`" + reader.path("path") + "` is missing", component.where.text(), "write file: FILE");
  }
  templates.path = as_text(*path, reader.path("path"));
  if (const Node* mode = reader.find_set("mode")) {
    templates.mode = as_choice(*mode, reader.path("mode"), {"auto", "first", "last"});
  }
  if (const Node* variables = reader.find_set("variables")) {
    auto names = as_text_or_texts(*variables, reader.path("variables"));
    if (!names.empty()) templates.variables = std::move(names);
  }
  return templates;
}

SampleTemplates parse_rules(const Node& list, const std::string& key) {
  SampleTemplates templates;
  for (const Node& rule : list.items) {
    const std::string rule_key = key + "." + std::to_string(templates.rules.size());
    if (!rule.is_list() || rule.items.size() != 2) {
      throw UserError("`" + rule_key + "` must be a list of two: what to match and the path", rule.where.text(),
                      "write [{levtype: pl}, 'samples/{levtype}.grib']");
    }
    templates.rules.emplace_back(as_map(rule.items[0], rule_key + ".0").to_json(),
                                 as_text(rule.items[1], rule_key + ".1"));
  }
  return templates;
}

SampleTemplates parse_sample_templates(const Component& component) {
  const Node& argument = component.argument;
  SampleTemplates templates;
  if (argument.is_text()) {
    templates.index = argument.text();
    return templates;
  }
  if (argument.is_list() && argument.items.size() == 1 && argument.items[0].is_text()) {
    templates.index = argument.items[0].text();
    return templates;
  }
  if (argument.is_list() && !argument.items.empty()) return parse_rules(argument, component.key);
  if (argument.is_map()) {
    const MapReader reader(argument, component.key, {"index_path"});
    const Node* index = reader.find_set("index_path");
    if (index != nullptr) {
      templates.index = as_text(*index, reader.path("index_path"));
      return templates;
    }
  }
  throw UserError("`" + component.key + "` needs rules or the path of an index", component.where.text(),
                  "write samples: [[{levtype: pl}, 'samples/{levtype}.grib'], ...] or samples: index.yaml");
}

TemplateConfig parse_template(const Component& component) {
  if (component.is("input")) return parse_input_templates(component);
  if (component.is("file")) return parse_file_templates(component);
  if (component.is("samples")) return parse_sample_templates(component);
  if (!component.is("builtin")) refuse(component, kinds());
  const MapReader reader(component.options(""), component.key, {"index_path"});
  reader.unsupported("index_path", "use `samples` with an index: this build makes its builtin templates");
  return BuiltinTemplates{};
}

}  // namespace

std::vector<TemplateConfig> parse_templates(const Node& node, const std::string& key) {
  std::vector<TemplateConfig> templates;
  if (!node.is_list()) {
    templates.push_back(parse_template(as_component(node, key)));
    return templates;
  }
  for (const Node& item : node.items) {
    templates.push_back(parse_template(as_component(item, key + "." + std::to_string(templates.size()))));
  }
  return templates;
}

}  // namespace tradewind::config
