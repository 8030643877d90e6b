#include "common/config/load.h"

#include <filesystem>
#include <utility>

#include "common/config/hugging_face.h"
#include "common/config/interpolate.h"
#include "common/config/merge.h"
#include "common/config/nodes/yaml_load.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

constexpr std::size_t kMostOverrides = 1000;

Node as_root(Node node, const std::string& source) {
  if (node.is_null()) return Node::map({source, 1, 1});
  if (node.is_map()) return node;
  throw UserError("a configuration is a map of keys, not " + node.kind_text(), node.where.text(),
                  "write `key: value` lines");
}

void inline_patch_metadata(Node& root, Findings& findings) {
  Node* patch = root.find("patch_metadata");
  if (patch == nullptr || patch->failed || !patch->is_text()) return;
  const Location where = patch->where;
  std::vector<std::string> warnings;
  try {
    *patch = load_yaml_file(patch->text(), {}, warnings);
  } catch (const UserError& error) {
    patch->failed = true;
    findings.refuse(
        UserError("`patch_metadata`: " + error.where() + ": " + error.message(), where.text(), error.remedy()));
  }
  for (const std::string& line : warnings) findings.warn({}, line);
  if (patch->is_null()) *patch = Node::map(where);
}

void find_hub_checkpoint(Node& root, const Environment& environment, Findings& findings) {
  Node* checkpoint = root.find("checkpoint");
  if (checkpoint == nullptr || checkpoint->failed || !is_hub_checkpoint(*checkpoint)) return;
  const Node written = std::exchange(*checkpoint, Node::of("", checkpoint->where));
  checkpoint->failed = true;
  findings.attempt([&] { *checkpoint = checkpoint_in_cache(written, environment, findings); });
}

// Over `root`, if it can be read.
void merge_file(Node& root, const std::string& path, const YamlOptions& options, Findings& findings) {
  findings.attempt([&] {
    std::vector<std::string> warnings;
    const Node node = as_root(load_yaml_file(path, options, warnings), path);
    for (const std::string& line : warnings) findings.warn({}, line);
    merge_over(root, node);
  });
}

}  // namespace

bool is_override(const std::string& config) {
  const std::size_t equals = config.find('=');
  if (equals == std::string::npos) return false;
  std::error_code code;
  if (std::filesystem::exists(config, code)) return false;
  return config.find('/') > equals;
}

ConfigDocument merge_config(const LoadRequest& request, const Environment& environment, Time now, Findings& findings) {
  ConfigDocument document;
  const bool no_file = is_override(request.config);
  document.name = no_file ? "the command line" : request.config;
  document.sources = {document.name};
  for (const std::string& path : request.defaults) document.sources.push_back(path);
  std::vector<std::string> overrides = request.overrides;
  if (no_file) overrides.push_back(request.config);
  if (overrides.size() > kMostOverrides)
    throw UserError("there are " + std::to_string(overrides.size()) + " overrides", "command line",
                    "give at most " + std::to_string(kMostOverrides) + ", or put them into a file for --defaults");
  for (const std::string& text : overrides) document.sources.push_back(override_place(text));
  findings.set_sources(document.sources);

  Node root = Node::map({document.name, 0, 0});
  for (const std::string& path : request.defaults)
    merge_file(root, path, {.timestamps = false, .refuse_duplicates = true}, findings);
  if (!no_file) merge_file(root, request.config, {}, findings);
  const bool unread = findings.any_refusal();
  for (const std::string& text : overrides) findings.attempt([&] { apply_override(root, text, findings); });
  if (unread) findings.throw_refusals();  // what else is wrong would come of that
  document.root = interpolated(root, environment, findings);
  inline_patch_metadata(document.root, findings);
  find_hub_checkpoint(document.root, environment, findings);
  document.today = std::chrono::floor<std::chrono::days>(now);
  document.base_seed = environment.get("ANEMOI_BASE_SEED");
  document.plugins = !environment.get_or("TRADEWIND_PLUGINS", "").empty();
  return document;
}

ConfigDocument merge_config(const LoadRequest& request, const Environment& environment, Findings& findings) {
  return merge_config(request, environment, std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()),
                      findings);
}

ConfigDocument merge_config(const LoadRequest& request, const Environment& environment, Time now) {
  Findings findings;
  ConfigDocument document = merge_config(request, environment, now, findings);
  findings.throw_refusals();
  return document;
}

}  // namespace tradewind::config
