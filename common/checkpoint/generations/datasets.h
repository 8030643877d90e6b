// What a model has of each dataset: how it is routed through encoders and decoders, its nodes, columns, layers and
// pre-processing. Pure, thread-safe. Errors: UserError with the path in the tree.
#pragma once

#include <string>
#include <vector>

#include "common/checkpoint/generations/families.h"
#include "common/refusals.h"

namespace tradewind::checkpoint {

struct DatasetNames : Names {
  bool encoded = true, decoded = true;  // else no encoder reads it; it is only read
};
// In the model's order, at least one, each with an encoder or a decoder.
std::vector<DatasetNames> find_datasets(const Node& model);

NodeDescription read_nodes(const Scope& scope, const std::string& name, const Paths& coordinates,
                           const Paths& trainable);
// What the dataset is before its layers: its nodes, columns and times.
DatasetDescription read_dataset(const Scope& scope);
// What stands around its layers; without an encoder nothing is added to the output. What parts refuse is collected.
void read_surroundings(const Node& root, const Scope& scope, bool encoded, DatasetDescription& out, Refusals& refusals);

// condition: width of what conditions the norms of all layers, 0: nothing does.
MapperResult read_encoder(const Scope& scope, const DatasetDescription& dataset, const NodeDescription& hidden,
                          std::int64_t condition);
// latent: width of what comes in; encoded: width of what the dataset's encoder has made of its rows, 0: there is none.
DecoderDescription read_decoder(const Scope& scope, const NodeDescription& hidden, std::int64_t latent,
                                std::int64_t encoded, std::int64_t condition, DatasetDescription& dataset);

}  // namespace tradewind::checkpoint
