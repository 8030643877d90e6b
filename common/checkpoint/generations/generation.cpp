#include "common/checkpoint/generations/generation.h"

#include <algorithm>

#include "common/checkpoint/generations/attributes.h"
#include "common/checkpoint/listing.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

bool holds(const Node& node, std::string_view path) {
  const auto dot = path.find('.');
  const std::string_view head = path.substr(0, dot);
  const auto below = [&](const Node& child) {
    return dot == std::string_view::npos || holds(child, path.substr(dot + 1));
  };
  if (head == "*") {
    const auto children = attributes_of(node);
    return std::any_of(children.begin(), children.end(), [&](const auto& child) { return below(child.second); });
  }
  const auto child = find_attribute(node, head);
  return child && below(*child);
}

}  // namespace

const std::vector<Generation>& generations() {
  static const std::vector<Generation> table = {
      {.name = "0.15 and later", .has = {"dataset_names", "dataset2encoder", "dataset2decoder"}, .lacks = {}},
      {.name = "0.13-0.14",
       .has = {"dataset_names", "latent_skip", "encoder_graph_provider", "node_attributes.trainable_tensors"},
       .lacks = {"dataset2encoder", "dataset2decoder", "decoders_target_input"}},
      {.name = "0.12",
       .has = {"n_step_input", "encoder_graph_provider", "node_attributes.*.trainable_tensors"},
       .lacks = {"dataset2encoder", "latent_skip", "dataset_names", "node_attributes.trainable_tensors"},
       .latent_skip_is_implicit = true},
      {.name = "0.11.3",
       .has = {"multi_step", "encoder_graph_provider.edge_index_base", "residual"},
       .lacks = {"latent_skip", "dataset_names"},
       .latent_skip_is_implicit = true,
       .output_has_time = false},
      {.name = "0.11.0-0.11.2",
       .has = {"multi_step", "encoder.edge_index_base", "residual"},
       .lacks = {"encoder_graph_provider", "latent_skip"},
       .latent_skip_is_implicit = true,
       .output_has_time = false},
      {.name = "0.9.6-0.10",
       .has = {"multi_step", "encoder.edge_index_base", "truncation", "node_attributes"},
       .lacks = {"residual", "A_down", "latent_skip"},
       .skip_is_implicit = true,
       .latent_skip_is_implicit = true,
       .output_has_time = false},
      {.name = "0.5-0.9.5",
       .has = {"multi_step", "encoder.edge_index_base", "A_down", "A_up", "node_attributes"},
       .lacks = {"residual", "truncation", "latent_skip"},
       .skip_is_implicit = true,
       .latent_skip_is_implicit = true,
       .imputes_by_first_step = true,
       .output_has_time = false},
      {.name = "0.4",
       .has = {"multi_step", "encoder.edge_index_base", "layer_kernels", "node_attributes"},
       .lacks = {"residual", "truncation", "A_down", "A_up", "latent_skip"},
       .skip_is_implicit = true,
       .latent_skip_is_implicit = true,
       .imputes_by_first_step = true,
       .output_has_time = false},
      {.name = "0.3",
       .has = {"multi_step", "encoder.edge_index_base", "latlons_data", "latlons_hidden", "boundings"},
       .lacks = {"node_attributes", "residual", "truncation", "A_down", "A_up", "latent_skip"},
       .skip_is_implicit = true,
       .latent_skip_is_implicit = true,
       .imputes_by_first_step = true,
       .output_has_time = false},
      {.name = "0.2",
       .has = {"multi_step", "encoder.edge_index_base", "latlons_data", "latlons_hidden"},
       .lacks = {"boundings", "data_indices.internal_data", "node_attributes", "residual", "truncation", "A_down",
                 "latent_skip"},
       .skip_is_implicit = true,
       .latent_skip_is_implicit = true,
       .has_no_boundings = true,
       .imputes_by_first_step = true,
       .output_has_time = false},
  };
  return table;
}

const Generation& detect_generation(const Node& model) {
  std::string known;
  for (const Generation& generation : generations()) {
    const auto in_model = [&](std::string_view path) { return holds(model, path); };
    if (std::all_of(generation.has.begin(), generation.has.end(), in_model) &&
        std::none_of(generation.lacks.begin(), generation.lacks.end(), in_model)) {
      return generation;
    }
    add_to_list(known, generation.name);
  }
  throw UserError("the model's layout is of no known generation of anemoi-models", model.path(),
                  "known generations: " + known);
}

}  // namespace tradewind::checkpoint
