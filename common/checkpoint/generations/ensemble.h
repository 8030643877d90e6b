// Family: ensemble models, whose members differ by the noise that is drawn in every call. anemoi-models 0.5 to 0.19.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "common/checkpoint/generations/families.h"

namespace tradewind::checkpoint {

inline constexpr std::string_view kEnsembleModel =
    "anemoi.models.models.ens_encoder_processor_decoder.AnemoiEnsModelEncProcDec";

// What the rows of the encoder are made of, in each generation's order. UserError for a condition on the residual where
// anemoi-models itself cannot run it.
std::vector<InputFeature> read_input_features(const Scope& scope);

std::optional<NoiseDescription> read_noise_conditioning(const Node& node, const NoiseEnds& ends);
std::optional<NoiseDescription> read_noise_injector(const Node& node, const NoiseEnds& ends);
std::optional<NoiseDescription> read_no_noise(const Node& node, const NoiseEnds& ends);

// For layers that take no condition: UserError when there is one, `condition` wide.
void refuse_condition(const Node& layers, std::int64_t condition);

}  // namespace tradewind::checkpoint
