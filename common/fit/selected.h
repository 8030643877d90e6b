// Which variables a pattern of an output's `variables` means. Pure.
#pragma once

#include <string>

#include "common/checkpoint/metadata.h"
#include "common/config/run_config.h"

namespace tradewind::fit {

// Globs (* ? [...]) match names; a map of MARS keys matches when all its keys do, each by any of its globs.
bool matches(const config::VariablePattern& pattern, const std::string& name, const checkpoint::Metadata& metadata);

}  // namespace tradewind::fit
