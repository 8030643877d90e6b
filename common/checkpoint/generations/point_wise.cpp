#include "common/checkpoint/generations/point_wise.h"

#include <string>

#include "common/checkpoint/generations/blocks.h"
#include "common/checkpoint/generations/known.h"
#include "common/checkpoint/generations/layers.h"
#include "common/errors.h"

namespace tradewind::checkpoint {

// The encoder is a linear layer, the decoder a layer norm and one.
MapperResult read_point_wise_mapper(const Node& node, const Scope&, const MapperSite& site) {
  if (site.sources != site.destinations) {
    throw UserError("a point-wise mapper between " + std::to_string(site.sources) + " and " +
                        std::to_string(site.destinations) + " nodes is not supported",
                    node.path(), "the hidden nodes must be the data nodes");
  }
  PointWiseMapperDescription out;
  out.inputs = site.source_channels;
  MapperResult result;
  if (site.backward) {
    out.layers = read_sequential(node.at("node_data_extractor"), site.output_channels, site.source_channels);
    result.output_channels = site.output_channels;
  } else {
    const Node embedding = node.at("emb_nodes_src");
    result.output_channels = linear_outputs(embedding);
    out.layers = read_sequential(embedding, result.output_channels, site.source_channels);
  }
  result.description = std::move(out);
  return result;
}

ProcessorDescription read_point_wise_processor(const Node& node, const Scope&, const ProcessorSite& site) {
  PointWiseProcessorDescription out;
  for (const Node& block : processor_blocks(node, "")) {
    require_class(block, "block", {"anemoi.models.layers.block.PointWiseMLPProcessorBlock"});
    refuse_unknown_attributes(block);
    out.layers.push_back(read_sequential(block.at("mlp"), site.channels, site.channels));
  }
  return out;
}

}  // namespace tradewind::checkpoint
