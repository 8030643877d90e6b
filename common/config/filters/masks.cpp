#include "common/config/filters/masks.h"

#include "common/config/nodes/path_text.h"
#include "common/config/nodes/reader.h"

namespace tradewind::config {
namespace {

template <typename Config>
void take_mask(const MapReader& reader, const Component& component, Config& config) {
  config.at = {component.key, component.where.text()};
  reader.need("mask", component.where,
              "write " + component.name + ": FILE.npy, or the name of an array in the checkpoint",
              [&](const Node& node, const std::string& key) {
                config.mask = as_path(node, key);
                config.mask_at = {key, node.where.text()};
              });
}

void add_mask(const std::string& mask, const Origin& at, Uses& uses) {
  uses.paths.push_back({.names = PathUse::Names::name_or_array, .path = mask, .role = "the mask", .at = at});
  uses.names.push_back({.must = NameUse::Must::be_file_or_array, .name = mask, .at = at});
}

}  // namespace

ExtractMask ExtractMask::parse(const Component& component, Findings& findings) {
  const MapReader reader(component.options("mask"), component.key, {"mask", "as_slice", "inverse"}, findings);
  ExtractMask config;
  take_mask(reader, component, config);
  reader.take_set("as_slice",
                  [&](const Node& node, const std::string& key) { config.as_slice = as_boolean(node, key); });
  reader.take_set("inverse", [&](const Node& node, const std::string& key) { config.inverse = as_boolean(node, key); });
  return config;
}

void ExtractMask::uses(Uses& uses) const { add_mask(mask, mask_at, uses); }

AssignMask AssignMask::parse(const Component& component, Findings& findings) {
  const MapReader reader(component.options("mask"), component.key, {"mask", "fill_value"}, findings);
  AssignMask config;
  take_mask(reader, component, config);
  reader.take_set("fill_value",
                  [&](const Node& node, const std::string& key) { config.fill_value = as_number(node, key); });
  return config;
}

void AssignMask::uses(Uses& uses) const { add_mask(mask, mask_at, uses); }

}  // namespace tradewind::config
