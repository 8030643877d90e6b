#include "common/config/load.h"

#include "common/config/interpolate.h"
#include "common/config/merge.h"
#include "common/config/yaml_load.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

Node as_root(Node node, const std::string& source) {
  if (node.is_null()) return Node::map({source, 1, 1});
  if (node.is_map()) return node;
  throw UserError("a configuration is a map of keys, not " + node.kind_text(), node.where.text(),
                  "write `key: value` lines");
}

void inline_patch_metadata(Node& root, std::vector<std::string>& warnings) {
  Node* patch = root.find("patch_metadata");
  if (patch == nullptr || !patch->is_text()) return;
  const Location where = patch->where;
  try {
    *patch = load_yaml_file(patch->text(), {}, warnings);
  } catch (const UserError& error) {
    throw UserError("`patch_metadata`: " + error.where() + ": " + error.message(), where.text(), error.remedy());
  }
  if (patch->is_null()) *patch = Node::map(where);
}

}  // namespace

ConfigDocument merge_config(const LoadRequest& request, const Environment& environment, Time now) {
  ConfigDocument document;
  const bool no_file = request.config.find('=') != std::string::npos;
  document.name = no_file ? "the command line" : request.config;
  Node root = Node::map({document.name, 0, 0});
  for (const std::string& path : request.defaults) {
    const YamlOptions options{.timestamps = false, .refuse_duplicates = true};
    merge_over(root, as_root(load_yaml_file(path, options, document.warnings), path));
  }
  std::vector<std::string> overrides = request.overrides;
  if (no_file) {
    overrides.push_back(request.config);
  } else {
    merge_over(root, as_root(load_yaml_file(request.config, {}, document.warnings), request.config));
  }
  for (const std::string& text : overrides) apply_override(root, text);
  document.root = interpolated(root, environment);
  inline_patch_metadata(document.root, document.warnings);
  document.today = std::chrono::floor<std::chrono::days>(now);
  document.base_seed = environment.get("ANEMOI_BASE_SEED");
  document.plugins = !environment.get_or("TRADEWIND_PLUGINS", "").empty();
  return document;
}

ConfigDocument merge_config(const LoadRequest& request, const Environment& environment) {
  return merge_config(request, environment, std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
}

RunConfig parse_run_config(const ConfigDocument& document) {
  std::vector<std::string> warnings;
  return parse_run_config(document, warnings);
}

}  // namespace tradewind::config
