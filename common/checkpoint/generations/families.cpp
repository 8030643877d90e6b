#include "common/checkpoint/generations/families.h"

#include <string_view>
#include <vector>

#include "common/checkpoint/generations/boundings.h"
#include "common/checkpoint/generations/class_table.h"
#include "common/checkpoint/generations/ensemble.h"
#include "common/checkpoint/generations/graph_conv.h"
#include "common/checkpoint/generations/graph_transformer.h"
#include "common/checkpoint/generations/imputers.h"
#include "common/checkpoint/generations/point_wise.h"
#include "common/checkpoint/generations/postprocessors.h"
#include "common/checkpoint/generations/remapper.h"
#include "common/checkpoint/generations/transformer.h"
#include "common/checkpoint/generations/truncation.h"
#include "common/checkpoint/generations/variables.h"

namespace tradewind::checkpoint {
namespace {

template <class Reader>
struct Row {
  std::string_view class_name;
  Reader reader;
};
template <class Reader>
using Readers = std::vector<Row<Reader>>;

const Readers<decltype(&read_graph_transformer_mapper)> kMappers = {
    {"anemoi.models.layers.mapper.GraphTransformerForwardMapper", read_graph_transformer_mapper},
    {"anemoi.models.layers.mapper.GraphTransformerBackwardMapper", read_graph_transformer_mapper},
    {"anemoi.models.layers.mapper.TransformerForwardMapper", read_transformer_mapper},
    {"anemoi.models.layers.mapper.TransformerBackwardMapper", read_transformer_mapper},
    {"anemoi.models.layers.mapper.PointWiseForwardMapper", read_point_wise_mapper},
    {"anemoi.models.layers.mapper.PointWiseBackwardMapper", read_point_wise_mapper},
    {"anemoi.models.layers.mapper.GNNForwardMapper", read_graph_conv_mapper},
    {"anemoi.models.layers.mapper.GNNBackwardMapper", read_graph_conv_mapper},
};

const Readers<decltype(&read_transformer_processor)> kProcessors = {
    {"anemoi.models.layers.processor.TransformerProcessor", read_transformer_processor},
    {"anemoi.models.layers.processor.PointWiseMLPProcessor", read_point_wise_processor},
    {"anemoi.models.layers.processor.GraphTransformerProcessor", read_graph_transformer_processor},
    {"anemoi.models.layers.processor.GNNProcessor", read_graph_conv_processor},
};

const Readers<decltype(&read_noise_conditioning)> kInjectors = {
    {"anemoi.models.layers.ensemble.NoiseConditioning", read_noise_conditioning},
    {"anemoi.models.layers.ensemble.NoiseInjector", read_noise_injector},
    {"anemoi.models.layers.ensemble.NoOpNoiseInjector", read_no_noise},
};

const Readers<decltype(&read_skip_residual)> kResiduals = {
    {"anemoi.models.layers.residual.SkipConnection", read_skip_residual},
    {"anemoi.models.layers.residual.TruncatedConnection", read_truncated_residual},
};

const Readers<decltype(&read_relu_bounding)> kBoundings = {
    {"anemoi.models.layers.bounding.ReluBounding", read_relu_bounding},
    {"anemoi.models.layers.bounding.LeakyReluBounding", read_relu_bounding},
    {"anemoi.models.layers.bounding.NormalizedReluBounding", read_relu_bounding},
    {"anemoi.models.layers.bounding.NormalizedLeakyReluBounding", read_relu_bounding},
    {"anemoi.models.layers.bounding.HardtanhBounding", read_hardtanh_bounding},
    {"anemoi.models.layers.bounding.LeakyHardtanhBounding", read_hardtanh_bounding},
    {"anemoi.models.layers.bounding.FractionBounding", read_hardtanh_bounding},
    {"anemoi.models.layers.bounding.LeakyFractionBounding", read_hardtanh_bounding},
};

const Readers<decltype(&read_normalizer)> kPreprocessors = {
    {"anemoi.models.preprocessing.normalizer.InputNormalizer", read_normalizer},
    {"anemoi.models.preprocessing.imputer.InputImputer", read_imputer},
    {"anemoi.models.preprocessing.imputer.ConstantImputer", read_imputer},
    {"anemoi.models.preprocessing.imputer.CopyImputer", read_imputer},
    {"anemoi.models.preprocessing.imputer.DynamicInputImputer", read_imputer},
    {"anemoi.models.preprocessing.imputer.DynamicConstantImputer", read_imputer},
    {"anemoi.models.preprocessing.imputer.DynamicCopyImputer", read_imputer},
    {"anemoi.models.preprocessing.remapper.Remapper", read_remapper},
    {"anemoi.models.preprocessing.monomapper.Monomapper", read_remapper},
    {"anemoi.models.preprocessing.postprocessor.Postprocessor", read_output_limits},
    {"anemoi.models.preprocessing.postprocessor.NormalizedReluPostprocessor", read_output_limits},
    {"anemoi.models.preprocessing.postprocessor.ConditionalZeroPostprocessor", read_conditional_fill},
    {"anemoi.models.preprocessing.postprocessor.ConditionalNaNPostprocessor", read_conditional_fill},
};

template <class Reader>
Reader reader_of(const Readers<Reader>& table, const Node& node, std::string_view what) {
  return row_of(table, node, what).reader;
}

}  // namespace

MapperResult read_mapper(const Node& node, const Scope& scope, const MapperEnds& ends) {
  return reader_of(kMappers, node, "mapper")(node, scope, ends);
}
ProcessorDescription read_processor(const Node& node, const Scope& scope, const ProcessorEnds& ends) {
  return reader_of(kProcessors, node, "processor")(node, scope, ends);
}
std::optional<NoiseDescription> read_injector(const Node& node, const NoiseEnds& ends) {
  return reader_of(kInjectors, node, "noise injector")(node, ends);
}
ResidualDescription read_residual(const Node& node, const ModelSizes& sizes) {
  return reader_of(kResiduals, node, "residual connection")(node, sizes);
}
BoundingDescription read_bounding(const Node& node, const ModelSizes& sizes) {
  return reader_of(kBoundings, node, "bounding")(node, sizes);
}
PreprocessorDescription read_preprocessor(const Node& node, const Scope& scope, const ModelSizes& sizes) {
  return reader_of(kPreprocessors, node, "pre-processor")(node, scope, sizes);
}

}  // namespace tradewind::checkpoint
