#include "common/config/outputs/netcdf_output.h"

#include "common/config/nodes/path_text.h"

namespace tradewind::config {

NetcdfOutputConfig NetcdfOutputConfig::parse(const Component& component, Findings& findings) {
  const MapReader reader(component.options("path"), component.key,
                         with_common_keys({"path", "float_size", "missing_value"}), findings);
  NetcdfOutputConfig config;
  reader.need("path", component.where, "write netcdf: FILE", [&](const Node& node, const std::string& key) {
    config.path = as_path(node, key);
    config.path_at = {key, node.where.text()};
  });
  reader.take_set("float_size", [&](const Node& node, const std::string& key) {
    config.doubles = as_choice(node, key, {"f4", "f8"}) == "f8";
  });
  reader.take_set("missing_value",
                  [&](const Node& node, const std::string& key) { config.missing_value = as_number(node, key); });
  config.common = parse_common(reader, findings);
  return config;
}

void NetcdfOutputConfig::uses(Uses& uses) const {
  uses.paths.push_back({.how = PathUse::How::writes_beside,
                        .names = PathUse::Names::one,
                        .path = path,
                        .role = "the output",
                        .at = path_at});
  add_uses(common, uses);
}

}  // namespace tradewind::config
