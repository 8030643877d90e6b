#include "common/checkpoint/generations/point_wise.h"

#include <string>

#include "common/checkpoint/generations/blocks.h"
#include "common/checkpoint/generations/ensemble.h"
#include "common/checkpoint/generations/known.h"
#include "common/checkpoint/generations/layers.h"
#include "common/errors.h"

namespace tradewind::checkpoint {

// The encoder is a linear layer, the decoder a layer norm and one.
MapperResult read_point_wise_mapper(const Node& node, const Scope&, const MapperEnds& ends) {
  refuse_condition(node, ends.condition);
  if (ends.sources != ends.destinations) {
    throw UserError("a point-wise mapper between " + std::to_string(ends.sources) + " and " +
                        std::to_string(ends.destinations) + " nodes is not supported",
                    node.path(), "the hidden nodes must be the data nodes");
  }
  PointWiseMapperDescription out;
  out.inputs = ends.source_channels;
  MapperResult result;
  if (ends.backward) {
    out.layers = read_sequential(node.at("node_data_extractor"), ends.output_channels, ends.source_channels);
    result.output_channels = ends.output_channels;
  } else {
    const Node embedding = node.at("emb_nodes_src");
    result.output_channels = linear_outputs(embedding);
    out.layers = read_sequential(embedding, result.output_channels, ends.source_channels);
  }
  result.description = std::move(out);
  return result;
}

ProcessorDescription read_point_wise_processor(const Node& node, const Scope&, const ProcessorEnds& ends) {
  refuse_condition(node, ends.condition);
  PointWiseProcessorDescription out;
  for (const Node& block : processor_blocks(node, "")) {
    require_class(block, "block", {"anemoi.models.layers.block.PointWiseMLPProcessorBlock"});
    refuse_unknown_attributes(block);
    out.layers.push_back(read_sequential(block.at("mlp"), ends.channels, ends.channels));
  }
  return out;
}

}  // namespace tradewind::checkpoint
