#include "common/config/filters/transform_kinds.h"

#include "common/config/nodes/reader.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

auto text_into(std::string& to) {
  return [&to](const Node& node, const std::string& key) { to = as_text(node, key); };
}
auto texts_into(std::vector<std::string>& to) {
  return [&to](const Node& node, const std::string& key) { to = as_text_or_texts(node, key); };
}
auto number_into(std::optional<double>& to) {
  return [&to](const Node& node, const std::string& key) { to = as_number(node, key); };
}
auto boolean_into(bool& to) {
  return [&to](const Node& node, const std::string& key) { to = as_boolean(node, key); };
}

void check_mask(const MapReader& reader, const Component& component, const ApplyMask& config, Findings& findings) {
  const char* remedy = "write apply_mask: {path: FILE.npy, mask_value: 0}";
  const auto refuse = [&](const std::string& what) {
    findings.refuse(UserError(quoted(component.key) + " " + what, component.where.text(), remedy));
  };
  if (reader.meant("path") + reader.meant("mask_param") + config.of_itself != 1)
    refuse("needs one of `path`, `mask_param` and `self_mask: true`");
  if (reader.meant("mask_value") == reader.meant("threshold")) refuse("needs one of `mask_value` and `threshold`");
  if (config.of_itself && !reader.meant("param")) refuse("needs `param` beside `self_mask`");
  if (config.keeps_mask && !reader.meant("mask_param")) refuse("has `return_mask`, which is for `mask_param` only");
  if (reader.meant("threshold_operator") && !reader.meant("threshold"))
    refuse("has `threshold_operator`, which is for `threshold` only");
}

}  // namespace

CosSinMeanWaveDirection CosSinMeanWaveDirection::parse(const Component& component, Findings& findings) {
  const MapReader reader(component.options(""), component.key,
                         {"mean_wave_direction", "cos_mean_wave_direction", "sin_mean_wave_direction"}, findings);
  CosSinMeanWaveDirection config;
  reader.take_set("mean_wave_direction", text_into(config.direction));
  reader.take_set("cos_mean_wave_direction", text_into(config.cosine));
  reader.take_set("sin_mean_wave_direction", text_into(config.sine));
  return config;
}

ApplyMask ApplyMask::parse(const Component& component, Findings& findings) {
  const MapReader reader(component.options(""), component.key,
                         {"path", "mask_param", "self_mask", "mask_value", "threshold", "threshold_operator", "rename",
                          "param", "return_mask"},
                         findings);
  ApplyMask config;
  reader.take_set("path", [&](const Node& node, const std::string& key) {
    config.path = as_text(node, key);
    config.path_at = {key, node.where.text()};
    if (config.path->ends_with(".nc"))
      throw UserError(quoted(key) + " is a NetCDF file, which this build does not read", node.where.text(),
                      "use a .npy file (numpy.save(path, field)) or a GRIB file");
  });
  reader.take_set("mask_param", [&](const Node& node, const std::string& key) { config.field = as_text(node, key); });
  reader.take_set("self_mask", boolean_into(config.of_itself));
  reader.take_set("mask_value", number_into(config.value));
  reader.take_set("threshold", number_into(config.threshold));
  reader.take_set("threshold_operator", [&](const Node& node, const std::string& key) {
    config.comparison = as_choice(node, key, {">", "<", "==", "!=", ">=", "<=", "gt", "lt", "eq", "ne", "ge", "le"});
  });
  reader.take_set("rename", [&](const Node& node, const std::string& key) { config.suffix = as_text(node, key); });
  reader.take_set("param", texts_into(config.params));
  reader.take_set("return_mask", boolean_into(config.keeps_mask));
  check_mask(reader, component, config, findings);
  return config;
}

void ApplyMask::uses(Uses& uses) const {
  if (path) uses.paths.push_back({.path = *path, .role = "the mask", .at = path_at});
}

Rescale Rescale::parse(const Component& component, Findings& findings) {
  const MapReader reader(component.options(""), component.key, {"param", "scale", "offset"}, findings);
  Rescale config;
  const char* remedy = "write rescale: {param: tp, scale: 1000, offset: 0}";
  reader.need("param", component.where, remedy, text_into(config.param));
  reader.need("scale", component.where, remedy,
              [&](const Node& node, const std::string& key) { config.scale = as_number(node, key); });
  reader.need("offset", component.where, remedy,
              [&](const Node& node, const std::string& key) { config.offset = as_number(node, key); });
  return config;
}

ImputeNans ImputeNans::parse(const Component& component, Findings& findings) {
  const MapReader reader(component.options(""), component.key, {"param", "value"}, findings);
  ImputeNans config;
  const char* remedy = "write impute_nans: {param: sd, value: 0}";
  reader.need("param", component.where, remedy, texts_into(config.params));
  reader.need("value", component.where, remedy,
              [&](const Node& node, const std::string& key) { config.value = as_number(node, key); });
  return config;
}

Rename Rename::parse(const Component& component, Findings& findings) {
  const MapReader reader(component.options(""), component.key, {"param"}, findings);
  Rename config;
  reader.need("param", component.where, "write rename: {param: {old: new}}",
              [&](const Node& node, const std::string& key) {
                for (const Node::Entry& entry : as_map(node, key).entries)
                  config.params[entry.key] = as_text(entry.value, key + "." + entry.key);
              });
  return config;
}

Clip Clip::parse(const Component& component, Findings& findings) {
  const MapReader reader(component.options(""), component.key, {"param", "minimum", "maximum"}, findings);
  Clip config;
  reader.need("param", component.where, "write clip: {param: tp, minimum: 0}", text_into(config.param));
  reader.take_set("minimum", number_into(config.minimum));
  reader.take_set("maximum", number_into(config.maximum));
  if (!reader.meant("minimum") && !reader.meant("maximum"))
    findings.refuse(UserError(quoted(component.key) + " needs `minimum` or `maximum`", component.where.text(),
                              "write clip: {param: tp, minimum: 0}"));
  return config;
}

Drop Drop::parse(const Component& component, Findings& findings) {
  const MapReader reader(component.options(""), component.key, {"param", "levelist"}, findings);
  Drop config;
  reader.take_set("param", texts_into(config.params));
  reader.take_set("levelist", [&](const Node& node, const std::string& key) {
    if (!node.is_list()) {
      config.levels.push_back(std::to_string(as_integer(node, key)));
      return;
    }
    for (std::size_t i = 0; i < node.items.size(); ++i)
      config.levels.push_back(std::to_string(as_integer(node.items[i], key + "." + std::to_string(i))));
  });
  if (!reader.meant("param") && !reader.meant("levelist"))
    findings.refuse(UserError(quoted(component.key) + " would drop every field", component.where.text(),
                              "write drop: {param: [sd, swvl1]}"));
  return config;
}

OrogToZ OrogToZ::parse(const Component& component, Findings& findings) {
  const MapReader reader(component.options(""), component.key, {"orography", "height", "geopotential"}, findings);
  OrogToZ config;
  config.reversed = component.is("z_to_orog");
  if (reader.meant("orography") && reader.meant("height"))
    findings.refuse(UserError(quoted(component.key) + " has `orography` and `height`, which are one",
                              component.where.text(), "write one of them"));
  for (const char* name : {"orography", "height"}) reader.take_set(name, text_into(config.orography));
  reader.take_set("geopotential", text_into(config.geopotential));
  return config;
}

Noop Noop::parse(const Component& component, Findings& findings) {
  const MapReader reader(component.options(""), component.key, {}, findings);
  return {};
}

}  // namespace tradewind::config
