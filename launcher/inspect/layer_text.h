// What a model is made of, in words. Internal to launcher/inspect.
#pragma once

#include <cstdint>
#include <string>

#include "common/checkpoint/description.h"
#include "common/sampling/sampling.h"

namespace tradewind::launcher {

std::string bytes_text(std::int64_t bytes);
std::string count_text(std::int64_t count);  // 199090 -> "199 090"

std::string mapper_text(const checkpoint::MapperDescription& description, std::int64_t sources,
                        std::int64_t destinations);
std::string processor_text(const checkpoint::ProcessorDescription& description);
std::string noise_text(const checkpoint::ModelDescription& model);  // empty without noise
// How what several encoders make comes together.
std::string latents_text(const checkpoint::ModelDescription& model);
std::string transport_text(const checkpoint::TransportDescription& transport);
// wanted: of a configuration, beside the checkpoint's own.
std::string sampler_text(const checkpoint::TransportDescription& transport, const sampling::Choice& wanted);
// From grid to grid; empty for a residual that stays on one.
std::string residual_text(const checkpoint::ResidualDescription& description);

}  // namespace tradewind::launcher
