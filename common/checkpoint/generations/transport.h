// Family: transport models, whose network a sampler asks about a field again and again: removing noise (EDM), or moving
// it in time (stochastic interpolants); states or tendencies. anemoi-models 0.19.
#pragma once

#include <string_view>
#include <vector>

#include "common/checkpoint/generations/families.h"

namespace tradewind::checkpoint {

inline constexpr std::string_view kTransportModel =
    "anemoi.models.models.transport_encoder_processor_decoder.AnemoiTransportModelEncProcDec";
inline constexpr std::string_view kTransportTendencyModel =
    "anemoi.models.models.transport_encoder_processor_decoder.AnemoiTransportTendModelEncProcDec";
bool is_transport(const Node& model);
bool gives_tendencies(const Node& model);

TransportDescription read_transport(const Node& model);
// What the rows of the encoder are made of. output_steps: so often stands there what tendencies refer to.
std::vector<InputFeature> read_transport_features(const Node& model, std::int64_t output_steps);
// What such a model does with the dataset's residual, pre-processors and boundings is said by its class: `dataset` has
// been read as that of any other model, with the residual, and becomes what this class makes of it.
void settle_transport_dataset(const Node& root, const Scope& scope, const ModelSizes& sizes,
                              DatasetDescription& dataset);
// UserError when the model's source cannot be made of the dataset's input.
void check_source(const Node& model, const TransportDescription& transport, const DatasetDescription& dataset);

}  // namespace tradewind::checkpoint
