#include "common/checkpoint/generations/known.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/checkpoint/generations/attributes.h"
#include "common/checkpoint/generations/known_classes.h"
#include "common/checkpoint/generations/transport.h"
#include "common/checkpoint/listing.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

using Words = KnownClass::Words;

Words with(Words words, std::initializer_list<std::string_view> more) {
  words.insert(words.end(), more);
  return words;
}

// Attributes of the model itself.
const Words model_used = {"n_step_input",
                          "n_step_output",
                          "multi_step",
                          "dataset_names",
                          "_graph_name_data",
                          "_graph_name_hidden",
                          "latent_skip",
                          "dataset2encoder",
                          "dataset2decoder",
                          "input_datasets",
                          "target_datasets",
                          "decoders_target_input",
                          "num_input_channels",
                          "num_output_channels",
                          "_internal_input_idx",
                          "_internal_output_idx",
                          "_forcing_input_idx",
                          "node_attributes",
                          "latlons_data",
                          "latlons_hidden",
                          "trainable_data",
                          "trainable_hidden",
                          "encoder_graph_provider",
                          "encoder",
                          "latent_aggregator",
                          "processor_graph_provider",
                          "processor",
                          "decoder_graph_provider",
                          "decoder",
                          "residual",
                          "truncation",
                          "A_down",
                          "A_up",
                          "boundings"};
const Words model_ignored = {"_graph_data",
                             "data_indices",
                             "statistics",
                             "encoder2datasets",
                             "encoder_fusing_strategy",
                             "decoder2datasets",
                             "num_input_channels_prognostic",
                             "num_input_channels_forcings",
                             "num_input_channels_decoding_forcings",
                             "_decoding_forcing_input_idx",
                             "input_dim",
                             "input_dim_latent",
                             "target_dim",
                             "output_dim",
                             "num_channels",
                             "layer_kernels",
                             "layer_kernels_encoder",
                             "layer_kernels_processor",
                             "layer_kernels_decoder",
                             "_data_grid_size",
                             "_hidden_grid_size",
                             "trainable_data_size",
                             "trainable_hidden_size",
                             "_truncation_data",
                             "supports_sharded_input"};

const std::vector<KnownClass>& network_classes() {
  static const Words ensemble_used = with(model_used, {"noise_injector", "condition_on_residual"});
  static const Words transport_used =
      with(model_used, {"noise_embedder", "noise_cond_mlp", "noise_cond_dim", "transport_model_objective", "edm",
                        "transport_source", "inference_defaults", "condition_on_residual"});
  // settings of training; numbers that the layers tell
  static const Words transport_ignored =
      with(model_ignored, {"noise_conditioning", "noise_channels", "stochastic_interpolant", "training_condition"});
  // before 0.11.1 one class is derived from the other
  static const Words noise_used = {
      "noise_std",       "noise_channels",       "noise_mlp",        "projection", "_noise_conditioning",
      "noise_projector", "noise_graph_provider", "_sparse_projector"};
  static const Words noise_ignored = {"inject_noise", "layer_factory"};
  static const Words mapper_used = {"num_chunks",      "proc",     "emb_nodes_src", "emb_nodes_dst", "edge_attr",
                                    "edge_index_base", "edge_inc", "trainable"};
  static const Words mapper_ignored = {"in_channels_src",  "in_channels_dst", "hidden_dim",
                                       "out_channels_dst", "edge_dim",        "gradient_checkpointing",
                                       "layer_factory",    "activation",      "shard_strategy"};
  static const Words backward_used = with(mapper_used, {"node_data_extractor"});
  static const Words aggregator_ignored = {"input_channels", "source_channels", "gradient_checkpointing",
                                           "_hidden_dim"};
  static const Words target_ignored = {"model", "datasets_names", "dim"};
  static const Words gnn_forward_used = with(mapper_used, {"emb_edges"});
  static const Words gnn_backward_used = with(backward_used, {"emb_edges"});
  static const Words graph_processor_used = {"num_layers",      "num_chunks", "proc",     "edge_attr",
                                             "edge_index_base", "edge_inc",   "trainable"};
  static const Words graph_processor_ignored = {"chunk_size",    "num_channels", "gradient_checkpointing",
                                                "layer_factory", "_has_dropout", "edge_dim",
                                                "shard_strategy"};
  static const Words flat_mapper_ignored = {"in_channels_src",  "in_channels_dst",        "hidden_dim",
                                            "out_channels_dst", "gradient_checkpointing", "layer_factory",
                                            "num_chunks"};
  static const Words point_wise_ignored = {
      "in_channels_src",        "in_channels_dst", "hidden_dim", "out_channels_dst",
      "gradient_checkpointing", "layer_factory",   "proc"};
  static const std::vector<KnownClass> table = {
      {"anemoi.models.interface.AnemoiModelInterface",
       {"pre_processors", "post_processors", "post_processors_tendencies", "model"},
       {"config", "id", "n_step_input", "n_step_output", "multi_step", "graph_data", "statistics",
        "statistics_tendencies", "metadata", "supporting_arrays", "data_indices", "forward",
        "pre_processors_tendencies", "truncation_data"}},
      {"anemoi.models.models.encoder_processor_decoder.AnemoiModelEncProcDec", model_used, model_ignored},
      {"anemoi.models.models.ens_encoder_processor_decoder.AnemoiEnsModelEncProcDec", ensemble_used, model_ignored},
      {kTransportModel, transport_used, transport_ignored},
      {kTransportTendencyModel, transport_used, transport_ignored},
      {"anemoi.models.layers.diffusion.SinusoidalEmbeddings", {"frequencies"}, {}},
      {"anemoi.models.layers.diffusion.RandomFourierEmbeddings", {"frequencies"}, {"pi"}},
      {"anemoi.models.layers.ensemble.NoiseConditioning", noise_used, noise_ignored},
      {"anemoi.models.layers.ensemble.NoiseInjector", noise_used, noise_ignored},
      {"anemoi.models.layers.ensemble.NoOpNoiseInjector", {}, {}},
      {"anemoi.models.models.hierarchical.AnemoiModelEncProcDecHierarchical",
       with(model_used,
            {"upscale", "upscale_graph_providers", "downscale", "downscale_graph_providers", "_graph_hidden_names",
             "level_process", "down_level_processor", "down_level_processor_graph_providers", "up_level_processor",
             "up_level_processor_graph_providers"}),
       with(model_ignored, {"hidden_dims", "num_hidden"})},
      {"anemoi.models.layers.graph.NamedNodesAttributes",
       {"trainable_tensors"},
       {"num_trainable_parameters", "num_nodes", "attr_ndims"},
       {"latlons_"}},
      {"anemoi.models.layers.graph.TrainableTensor", {"trainable"}, {}},
      {"anemoi.models.layers.graph_provider.StaticGraphProvider",
       {"perm", "edge_attr", "edge_index_base", "edge_inc", "trainable_layout_version", "trainable"},
       {"_edge_dim"}},
      {"anemoi.models.layers.mapper.GraphTransformerForwardMapper", mapper_used, mapper_ignored},
      {"anemoi.models.layers.mapper.GraphTransformerBackwardMapper", backward_used, mapper_ignored},
      {"anemoi.models.layers.block.GraphTransformerMapperBlock",
       {"update_src_nodes",
        "out_channels_conv",
        "num_heads",
        "qk_norm",
        "lin_key",
        "lin_query",
        "lin_value",
        "lin_self",
        "lin_edge",
        "projection",
        "layer_norm_attention_src",
        "layer_norm_attention_dest",
        "layer_norm1",
        "layer_norm2",
        "layer_norm_mlp_dst",
        "node_dst_mlp",
        "edge_pre_mlp",
        "conv",
        "q_norm",
        "k_norm",
        "num_chunks"},
       // the first two are aliases; without update_src_nodes the source MLP is Identity
       {"layer_norm_attention", "layer_norm_mlp", "attn_channels", "graph_attention_backend",
        "_attention_backend_applied", "shard_strategy", "act_func"}},
      {"anemoi.models.layers.block.GraphTransformerProcessorBlock",
       {"update_src_nodes", "out_channels_conv", "num_heads", "qk_norm", "lin_key", "lin_query", "lin_value",
        "lin_self", "lin_edge", "projection", "layer_norm_attention", "layer_norm1", "layer_norm_mlp_dst",
        "node_dst_mlp", "edge_pre_mlp", "conv", "q_norm", "k_norm"},
       // the first is an alias; a halo that a parallel run of the reference planned is planned anew
       {"layer_norm_mlp", "attn_channels", "graph_attention_backend", "_attention_backend_applied", "shard_strategy",
        "act_func", "num_chunks", "_cached_halo_info", "_cached_halo_cache_specs", "_cached_partition"}},
      {"anemoi.models.layers.mapper.GNNForwardMapper", gnn_forward_used, mapper_ignored},
      {"anemoi.models.layers.mapper.GNNBackwardMapper", gnn_backward_used, mapper_ignored},
      {"anemoi.models.layers.block.GraphConvMapperBlock",
       {"node_mlp", "conv", "emb_edges", "update_src_nodes", "num_chunks"},
       {}},
      {"anemoi.models.layers.block.GraphConvProcessorBlock",
       {"node_mlp", "conv", "emb_edges"},
       {"update_src_nodes", "num_chunks"}},
      {"anemoi.models.layers.processor.GNNProcessor", graph_processor_used, graph_processor_ignored},
      {"anemoi.models.layers.chunk.GNNProcessorChunk", {"num_layers", "blocks", "emb_edges"}, {"num_channels"}},
      {"anemoi.models.layers.target_features.CompositeTargetFeature", {"features"}, target_ignored},
      {"anemoi.models.layers.target_features.EncodedDataFeature", {}, target_ignored},
      {"anemoi.models.layers.target_features.PrognosticsFeature", {}, target_ignored},
      {"anemoi.models.layers.target_features.InputForcingsFeature", {}, target_ignored},
      {"anemoi.models.layers.target_features.CoordinatesFeature", {}, target_ignored},
      {"anemoi.models.layers.target_features.TrainableParametersFeature", {}, target_ignored},
      {"anemoi.models.layers.aggregator.SumAggregator", {"source_names"}, aggregator_ignored},
      {"anemoi.models.layers.aggregator.MeanAggregator", {"source_names"}, aggregator_ignored},
      {"anemoi.models.layers.aggregator.ConcatAggregator", {"source_names"}, aggregator_ignored},
      {"anemoi.models.layers.mapper.TransformerForwardMapper",
       {"proc", "emb_nodes_src", "emb_nodes_dst"},
       flat_mapper_ignored},
      {"anemoi.models.layers.mapper.TransformerBackwardMapper",
       {"proc", "emb_nodes_dst", "node_data_extractor"},
       flat_mapper_ignored},
      {"anemoi.models.layers.block.TransformerMapperBlock",
       {"layer_norm_attention_src", "layer_norm_attention_dst", "layer_norm_mpl", "attention", "mlp"},
       {"layer_norm_attention", "layer_norm_mlp"}},  // of the base class, not called
      {"anemoi.models.layers.mapper.PointWiseForwardMapper", {"emb_nodes_src"}, point_wise_ignored},
      {"anemoi.models.layers.mapper.PointWiseBackwardMapper", {"node_data_extractor"}, point_wise_ignored},
      {"anemoi.models.layers.processor.PointWiseMLPProcessor",
       {"num_layers", "num_chunks", "proc"},
       {"chunk_size", "num_channels", "gradient_checkpointing", "layer_factory", "_has_dropout"}},
      {"anemoi.models.layers.block.PointWiseMLPProcessorBlock", {"mlp"}, {}},
      {"anemoi.models.layers.processor.TransformerProcessor",
       {"num_layers", "num_chunks", "proc"},
       {"chunk_size", "num_channels", "gradient_checkpointing", "layer_factory", "_has_dropout"}},
      {"anemoi.models.layers.processor.GraphTransformerProcessor", graph_processor_used, graph_processor_ignored},
      {"anemoi.models.layers.chunk.GraphTransformerProcessorChunk", {"num_layers", "blocks"}, {"num_channels"}},
      {"anemoi.models.layers.chunk.TransformerProcessorChunk", {"num_layers", "blocks"}, {"num_channels"}},
      {"anemoi.models.layers.block.TransformerProcessorBlock",
       {"layer_norm_attention", "layer_norm_mlp", "layer_norm1", "layer_norm2", "attention", "mlp"},
       {}},
      {"anemoi.models.layers.attention.MultiHeadSelfAttention",
       {"num_heads", "head_dim", "window_size", "is_causal", "qk_norm", "softcap", "use_alibi_slopes", "alibi_slopes",
        "use_rotary_embeddings", "attention", "lin_q", "lin_k", "lin_v", "lin_qkv", "projection", "q_norm", "k_norm"},
       {"attn_channels", "embed_dim", "attention_implementation", "_attention_backend_applied", "dropout_p"}},
      {"anemoi.models.layers.attention.MultiHeadCrossAttention",
       {"num_heads", "head_dim", "window_size", "is_causal", "qk_norm", "softcap", "use_alibi_slopes", "alibi_slopes",
        "use_rotary_embeddings", "attention", "lin_q", "lin_k", "lin_v", "lin_qkv", "projection", "q_norm", "k_norm"},
       {"attn_channels", "embed_dim", "attention_implementation", "_attention_backend_applied", "dropout_p"}},
      {"anemoi.models.layers.attention.FlashAttentionWrapper",
       {"attention", "use_rotary_embeddings", "rotary_emb"},
       {"use_flash_attn_v3", "use_flash_attn_v4"}},
      {"anemoi.models.layers.attention.SDPAAttentionWrapper",
       {"attention", "mask", "attn_mask"},
       {"create_mask", "window_size"}},
      {"anemoi.models.layers.mlp.MLP", {"mlp", "layer_norm", "model"}, {}},
      {"anemoi.models.layers.mlp.GatedMLPLayer", {"gate_proj", "value_proj", "gating"}, {}},
      {"torch.nn.modules.linear.Linear", {"weight", "bias"}, {"in_features", "out_features"}},
      {"torch.nn.modules.normalization.LayerNorm",
       {"weight", "bias", "normalized_shape", "eps", "elementwise_affine"},
       {}},
      {"anemoi.models.layers.normalization.AutocastLayerNorm",
       {"weight", "bias", "normalized_shape", "eps", "elementwise_affine"},
       {}},
      {"anemoi.models.layers.normalization.ConditionalLayerNorm", {"norm", "scale", "bias", "autocast"}, {}},
      {"anemoi.models.layers.utils.AutocastLayerNorm",
       {"weight", "bias", "normalized_shape", "eps", "elementwise_affine"},
       {}},
      {"torch.nn.modules.activation.GELU", {"approximate"}, {}},
      {"torch.nn.modules.activation.SiLU", {}, {"inplace"}},
      {"torch.nn.modules.activation.ReLU", {}, {"inplace"}},
      {"torch.nn.modules.activation.LeakyReLU", {"negative_slope"}, {"inplace"}},
      {"torch.nn.modules.activation.Sigmoid", {}, {}},
      {"torch.nn.modules.activation.Tanh", {}, {}},
  };
  return table;
}

const KnownClass* find_row(const std::vector<KnownClass>& table, std::string_view name) {
  const auto row =
      std::find_if(table.begin(), table.end(), [&](const KnownClass& known) { return known.name == name; });
  return row == table.end() ? nullptr : &*row;
}

bool contains(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool knows(const KnownClass& row, std::string_view attribute) {
  return attribute == "training" || attribute == "_non_persistent_buffers_set" || contains(row.used, attribute) ||
         contains(row.ignored, attribute) ||
         std::any_of(row.node_prefixes.begin(), row.node_prefixes.end(),
                     [&](std::string_view prefix) { return attribute.starts_with(prefix); });
}

const KnownClass* row_of(const std::string& name) {
  const KnownClass* row = find_row(network_classes(), name);
  return row != nullptr ? row : find_row(known_variable_classes(), name);
}

Refusals unknown_attributes(const Node& module, const KnownClass& row) {
  Refusals out;
  for (const auto& [attribute, value] : attributes_of(module)) {
    if (knows(row, attribute) || is_off(value)) continue;
    std::string what = "attribute `";
    what.append(attribute).append("` of ").append(row.name).append(" is not known to this build");
    if (!value.class_name().empty()) what.append("; it holds ").append(value.class_name());
    out.push_back({what, value.path(),
                   "it may change the forecast, so the checkpoint is refused; a newer tradewind may know it"});
  }
  return out;
}

// Of these a reader looks at the class alone.
const Words kPlainClasses = {"torch.nn.modules.linear.Identity", "torch.nn.modules.dropout.Dropout",
                             "anemoi.models.layers.conv.GraphConv", "anemoi.models.layers.conv.GraphTransformerConv",
                             "anemoi.models.layers.graph_provider.NoOpGraphProvider"};

// Goes down to where a reader would go: what a row uses, and all that a container holds.
class Surveyor {
 public:
  Refusals take(const Node& root) {
    visit(root, 0);
    return std::move(found_);
  }

 private:
  static constexpr int kDeepest = 100;
  static constexpr std::size_t kMost = 100;

  void visit(const Node& node, int depth) {
    if (depth > kDeepest || found_.size() >= kMost || !find_attribute(node, "_modules")) return;
    if (!seen_.insert(&node.value()).second) return;
    const std::string name = node.class_name();
    if (contains(kPlainClasses, name)) return;
    const bool container = name.starts_with("torch.nn.modules.container.");
    const KnownClass* row = container ? nullptr : row_of(name);
    if (!container && row == nullptr) {
      attempt(found_, [&] { refuse_class(node, "module", ""); });
      return;
    }
    if (row != nullptr) {
      for (Refusal& each : unknown_attributes(node, *row)) found_.push_back(std::move(each));
    }
    for (const auto& [attribute, value] : attributes_of(node)) {
      if (container || contains(row->used, attribute)) visit(value, depth + 1);
    }
  }

  Refusals found_;
  std::set<Ref> seen_;
};

}  // namespace

Refusals survey(const Node& root) { return Surveyor().take(root); }

void refuse_unknown_attributes(const Node& module) {
  const KnownClass* row = row_of(module.class_name());
  if (row == nullptr) refuse_class(module, "module", "");
  refuse_all(unknown_attributes(module, *row));
}

std::vector<std::string> known_models() {
  std::vector<std::string> names;
  for (const KnownClass& row : network_classes()) {
    if (row.name.starts_with("anemoi.models.models.")) names.emplace_back(row.name.substr(row.name.rfind('.') + 1));
  }
  return names;
}

void refuse_class(const Node& node, std::string_view what, const std::string& known) {
  const std::string name = node.class_name();
  throw UserError(
      std::string(what) + " of class " + (name.empty() ? "(none: a plain value)" : name) + " is not supported",
      node.path(), known.empty() ? "" : "known: " + known);
}

void require_class(const Node& node, std::string_view what, std::initializer_list<std::string_view> classes) {
  const std::string name = node.class_name();
  if (std::find(classes.begin(), classes.end(), name) != classes.end()) return;
  refuse_class(node, what, listed(classes));
}

}  // namespace tradewind::checkpoint
