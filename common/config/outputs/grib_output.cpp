#include "common/config/outputs/grib_output.h"

#include "common/config/nodes/path_text.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

// Maps below a map: param -> GRIB keys.
Json parse_keys_by_param(const Node& node, const std::string& key, std::vector<NameUse>& params) {
  for (const Node::Entry& entry : as_map(node, key).entries) {
    const std::string param_key = key + "." + entry.key;
    as_map(entry.value, param_key);
    params.push_back({NameUse::Must::be_param, entry.key, {param_key, entry.where.text()}});
  }
  return node.to_json();
}

}  // namespace

GribOutputConfig GribOutputConfig::parse(const Component& component, Findings& findings) {
  const MapReader reader(
      component.options("path"), component.key,
      with_common_keys({"path", "encoding", "templates", "grib1_keys", "grib2_keys", "check_encoding", "split_output",
                        "negative_step_mode", "missing_value", "modifiers", "archive_requests"}),
      findings);
  GribOutputConfig config;
  const auto boolean = [](bool& to) {
    return [&to](const Node& node, const std::string& key) { to = as_boolean(node, key); };
  };
  const auto keys_by_param = [&config](Json& to) {
    return [&to, &config](const Node& node, const std::string& key) {
      to = parse_keys_by_param(node, key, config.keyed_params);
    };
  };
  reader.need("path", component.where, "write grib: FILE", [&](const Node& node, const std::string& key) {
    config.path = as_path(node, key);
    config.path_at = {key, node.where.text()};
  });
  config.common = parse_common(reader, findings);
  reader.take_set("encoding",
                  [&](const Node& node, const std::string& key) { config.encoding = as_map(node, key).to_json(); });
  reader.take_set("templates", [&](const Node& node, const std::string& key) {
    config.templates = parse_templates(node, key, findings);
  });
  reader.take_set("grib1_keys", keys_by_param(config.grib1_keys));
  reader.take_set("grib2_keys", keys_by_param(config.grib2_keys));
  reader.take_set("check_encoding", boolean(config.check_encoding));
  reader.take_set("split_output", boolean(config.split_output));
  reader.take_set("negative_step_mode", [&](const Node& node, const std::string& key) {
    config.negative_step_mode = as_choice(node, key, {"error", "write", "skip"});
  });
  reader.take_set("missing_value",
                  [&](const Node& node, const std::string& key) { config.missing_value = as_number(node, key); });
  reader.unsupported("modifiers", "set the keys in `encoding`, `grib1_keys` or `grib2_keys`");
  reader.unsupported("archive_requests", "leave it out; the archive requests can be made from the file");
  return config;
}

void GribOutputConfig::uses(Uses& uses) const {
  uses.paths.push_back({.how = PathUse::How::writes_beside,
                        .names = split_output ? PathUse::Names::keys : PathUse::Names::one,
                        .path = path,
                        .role = "the output",
                        .at = path_at});
  for (const TemplateConfig& one : templates) add_uses(one, uses);
  uses.names.insert(uses.names.end(), keyed_params.begin(), keyed_params.end());
  add_uses(common, uses);
}

}  // namespace tradewind::config
