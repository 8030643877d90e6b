#include "common/config/filters/transforms.h"

#include <array>
#include <utility>

#include "common/config/nodes/kinds.h"
#include "common/config/nodes/reader.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

// What anemoi-transform 0.5 has and this build has not.
constexpr std::array elsewhere = {"accum_to_interval",
                                  "add_azimuth",
                                  "add_forcings",
                                  "add_healpix",
                                  "add_msg_angles",
                                  "apply_column_transformations",
                                  "assign_to_grid",
                                  "clear_step",
                                  "convert",
                                  "cos_sin_from_rad",
                                  "d_to_q_height",
                                  "d_to_r",
                                  "ddff_to_uv",
                                  "drop_columns",
                                  "drop_duplicates",
                                  "drop_nans",
                                  "earthkitfieldlambda",
                                  "empty",
                                  "encode_statids",
                                  "exclude_dates",
                                  "fill_orography",
                                  "filter_query",
                                  "fraction_of_snow_cover",
                                  "glacier_mask",
                                  "icon_refinement_level",
                                  "irregular_to_grid",
                                  "land_parameters",
                                  "levtype_sol_to_soil",
                                  "lnsp_to_sp",
                                  "mask_dewpoint_temperature",
                                  "mask_infs",
                                  "mask_outside_range",
                                  "mask_values_custom",
                                  "oras6_clipping",
                                  "q_to_d_height",
                                  "q_to_r",
                                  "q_to_r_height",
                                  "q_to_r_height_with_p",
                                  "r_to_d",
                                  "r_to_q",
                                  "r_to_q_height",
                                  "r_to_q_height_with_p",
                                  "radiance_to_brightness_temperature",
                                  "regrid",
                                  "remove_extreme_values",
                                  "remove_nans",
                                  "repeat_members",
                                  "rodeo_opera_clipping",
                                  "rodeo_opera_preprocessing",
                                  "rotate_winds",
                                  "snow_depth_m",
                                  "soil_to_levtype_sol",
                                  "sort_by",
                                  "sp_to_lnsp",
                                  "sum",
                                  "superob",
                                  "timeseries",
                                  "unrotate_winds",
                                  "uv_to_ddff",
                                  "w_to_wz",
                                  "wz_to_w"};

const Kinds& kinds() {
  static const Kinds transforms{
      "filter",
      kind_names<TransformConfig>(),
      {elsewhere.begin(), elsewhere.end()},
      {{"regrid", "regrid the input beforehand, the output afterwards"},
       {"remove_nans", "which points have values is known only when they are read: use `extract_mask`, `impute_nans`"},
       {"drop_nans", "which points have values is known only when they are read: use `extract_mask`, `impute_nans`"}}};
  return transforms;
}

// Other names of what this build has.
constexpr std::array<std::pair<const char*, const char*>, 13> other_names = {{{"apply_mask_fields", "apply_mask"},
                                                                              {"mask", "apply_mask"},
                                                                              {"clip_fields", "clip"},
                                                                              {"clipper", "clip"},
                                                                              {"drop_fields", "drop"},
                                                                              {"impute_nans_fields", "impute_nans"},
                                                                              {"replace_nans", "impute_nans"},
                                                                              {"rename_fields", "rename"},
                                                                              {"geopotential_to_height", "orog_to_z"},
                                                                              {"orog_to_z_fields", "orog_to_z"},
                                                                              {"height_to_geopotential", "z_to_orog"},
                                                                              {"z_to_orog_fields", "z_to_orog"},
                                                                              {"z_to_orog", "z_to_orog"}}};

// The filter that a component names: F: name, F: {filter: name, k: v}, F: {filter: {name: {k: v}}}, F: {name: {k: v}}.
// Options beside `filter` count as the filter's.
Component named_filter(Node named, const std::string& key) {
  const Node* given = named.is_map() ? named.find("filter") : nullptr;
  if (given == nullptr) return as_component(named, key);
  Node options = named;
  options.remove("filter");
  Component filter = as_component(*given, key + ".filter");
  if (options.entries.empty()) return filter;
  const Node own = filter.options("");
  filter.argument = Node::map(filter.where);
  for (const Node* part : {&own, static_cast<const Node*>(&options)})
    for (const Node::Entry& entry : part->entries) {
      if (filter.argument.find(entry.key) != nullptr)
        throw UserError("`" + filter.key + "." + entry.key + "` is given twice", entry.where.text(), "write it once");
      filter.argument.set(entry.key, entry.where, entry.value);
    }
  return filter;
}

template <typename Config>
Config parse_transform(const Component& component, bool backward, Findings& findings) {
  Config config;
  config.at = {component.key, component.where.text()};
  Node named = component.argument;
  if (const Node* skip = named.is_map() ? named.find("skip_initial_state") : nullptr) {
    findings.attempt([&] { config.skip_initial_state = as_boolean(*skip, component.key + ".skip_initial_state"); });
    named.remove("skip_initial_state");
  }
  if (const Node* idle = named.is_map() && !backward ? named.find("use_forward") : nullptr) {
    findings.warn(idle->where, "`" + component.key + ".use_forward` has no effect: the filter is applied forward");
    named.remove("use_forward");
  }
  Component filter = named_filter(named, component.key);
  const std::string written = filter.name;
  for (const auto& [other, name] : other_names)
    if (filter.is(other)) filter.name = name;
  if (filter.is("z_to_orog"))
    config.transform = OrogToZ::parse(filter, findings);
  else
    config.transform = parse_kind<TransformConfig>(filter, kinds(), findings);
  const bool reversible = std::visit([](const auto& kind) { return kind.reversible; },
                                     static_cast<const TransformKinds&>(config.transform));
  if (backward && !reversible)
    throw UserError("the filter `" + written + "` cannot be applied backward", filter.where.text(),
                    "use forward_transform_filter, or another filter");
  const auto* rescale = std::get_if<Rescale>(&config.transform);
  if (backward && rescale && rescale->scale == 0)
    throw UserError("the filter `" + written + "` cannot be applied backward: its scale is 0", filter.where.text(),
                    "give the scale that the fields were multiplied by");
  return config;
}

}  // namespace

void TransformConfig::uses(Uses& uses) const {
  std::visit([&](const auto& kind) { kind.uses(uses); }, static_cast<const TransformKinds&>(*this));
}

ForwardTransform ForwardTransform::parse(const Component& component, Findings& findings) {
  return parse_transform<ForwardTransform>(component, false, findings);
}

BackwardTransform BackwardTransform::parse(const Component& component, Findings& findings) {
  return parse_transform<BackwardTransform>(component, true, findings);
}

}  // namespace tradewind::config
