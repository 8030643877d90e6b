#include "common/checkpoint/generations/known_classes.h"

namespace tradewind::checkpoint {

const std::vector<KnownClass>& known_variable_classes() {
  using Words = KnownClass::Words;
  static const Words bounding_ignored = {"name_to_index", "variables", "statistics", "name_to_index_stats"};
  static const Words hardtanh_used = {"data_index", "min_val", "max_val"};
  static const Words fraction_used = {"data_index", "min_val", "max_val", "total_variable"};
  static const Words normalized_used = {"data_index", "norm_min_val"};
  static const Words normalized_ignored = {"name_to_index",       "variables", "statistics",
                                           "name_to_index_stats", "min_val",   "normalizer"};
  static const Words imputer_used = {"index_inference_input", "index_inference_output", "index_training_input",
                                     "replacement",           "data_indices",           "nan_locations"};
  static const Words imputer_ignored = {"loss_mask_training",
                                        "normalizer",
                                        "default",
                                        "remap",
                                        "method_config",
                                        "method_kwargs",
                                        "methods",
                                        "index_training_output",
                                        "num_training_input_vars",
                                        "num_inference_input_vars",
                                        "num_training_output_vars",
                                        "num_inference_output_vars"};
  static const Words remapper_used = {"index_inference_input", "index_inference_output", "remappers",
                                      "backmappers",           "remapper_kwargs",        "method_kwargs"};
  static const Words remapper_ignored = {"default",
                                         "remap",
                                         "normalizer",
                                         "method_config",
                                         "methods",
                                         "data_indices",
                                         "index_training_input",
                                         "index_training_out",
                                         "num_training_input_vars",
                                         "num_inference_input_vars",
                                         "num_training_output_vars",
                                         "num_inference_output_vars"};
  static const Words limits_used = {"index_inference_output", "postprocessorfunctions"};
  static const Words fill_used = {"index_inference_output", "postprocessorfunctions",
                                  "masking_variable_inference_output"};
  static const Words postprocessor_ignored = {"default",
                                              "remap",
                                              "normalizer",
                                              "method_config",
                                              "method_kwargs",
                                              "methods",
                                              "data_indices",
                                              "statistics",
                                              "index_training_output",
                                              "num_training_output_vars",
                                              "num_inference_output_vars",
                                              "masking_variable",
                                              "masking_variable_training_output"};
  static const std::vector<KnownClass> table = {
      {"anemoi.models.layers.residual.SkipConnection", {"step"}, {}},
      {"anemoi.models.layers.residual.TruncatedConnection",
       {"provider_down", "provider_up", "projector", "project_down", "project_up"},
       {}},
      {"anemoi.models.layers.sparse_projector.SparseProjector", {"projection_matrix", "autocast"}, {"num_chunks"}},
      {"anemoi.models.layers.graph_provider.ProjectionGraphProvider", {"projection_matrix"}, {"_edge_dim"}},
      {"anemoi.models.layers.truncation.BaseTruncation", {"A_down", "A_up"}, {}},
      {"anemoi.models.layers.bounding.ReluBounding", {"data_index"}, bounding_ignored},
      {"anemoi.models.layers.bounding.LeakyReluBounding", {"data_index"}, bounding_ignored},
      {"anemoi.models.layers.bounding.NormalizedReluBounding", normalized_used, normalized_ignored},
      {"anemoi.models.layers.bounding.NormalizedLeakyReluBounding", normalized_used, normalized_ignored},
      {"anemoi.models.layers.bounding.HardtanhBounding", hardtanh_used, bounding_ignored},
      {"anemoi.models.layers.bounding.LeakyHardtanhBounding", hardtanh_used, bounding_ignored},
      {"anemoi.models.layers.bounding.FractionBounding", fraction_used, bounding_ignored},
      {"anemoi.models.layers.bounding.LeakyFractionBounding", fraction_used, bounding_ignored},
      {"anemoi.models.preprocessing.Processors", {"processors", "inverse"}, {"first_run"}},
      {"anemoi.models.preprocessing.StepwiseProcessors", {"_lead_times", "_processors"}, {}},
      {"anemoi.models.preprocessing.normalizer.InputNormalizer",
       {"_norm_mul", "_norm_add", "_input_idx", "_output_idx", "_model_output_idx"},
       // folded into _norm_mul and _norm_add
       {"default", "remap", "normalizer", "method_config", "method_kwargs", "methods", "data_indices"}},
      {"anemoi.models.preprocessing.imputer.InputImputer", imputer_used, imputer_ignored},
      {"anemoi.models.preprocessing.imputer.ConstantImputer", imputer_used, imputer_ignored},
      {"anemoi.models.preprocessing.imputer.CopyImputer", imputer_used, imputer_ignored},
      {"anemoi.models.preprocessing.imputer.DynamicInputImputer", imputer_used, imputer_ignored},
      {"anemoi.models.preprocessing.imputer.DynamicConstantImputer", imputer_used, imputer_ignored},
      {"anemoi.models.preprocessing.imputer.DynamicCopyImputer", imputer_used, imputer_ignored},
      {"anemoi.models.preprocessing.remapper.Remapper", remapper_used, remapper_ignored},
      {"anemoi.models.preprocessing.monomapper.Monomapper", remapper_used, remapper_ignored},
      {"anemoi.models.preprocessing.postprocessor.Postprocessor", limits_used, postprocessor_ignored},
      {"anemoi.models.preprocessing.postprocessor.NormalizedReluPostprocessor", limits_used, postprocessor_ignored},
      {"anemoi.models.preprocessing.postprocessor.ConditionalZeroPostprocessor", fill_used, postprocessor_ignored},
      {"anemoi.models.preprocessing.postprocessor.ConditionalNaNPostprocessor", fill_used, postprocessor_ignored},
      {"anemoi.models.layers.activations.CustomRelu", {"threshold"}, {}},
      {"torch.nn.modules.activation.Hardtanh", {"min_val", "max_val"}, {"inplace"}},
  };
  return table;
}

}  // namespace tradewind::checkpoint
