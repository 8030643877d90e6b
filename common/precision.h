// In which numbers a model computes, and the names that this may have in a configuration and in a checkpoint. Pure
// functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/run_config.h"

namespace tradewind {

using config::Precision;

// Nothing for a name that is not known.
std::optional<Precision> precision_of(std::string_view name);
const std::vector<std::string>& precision_names();

}  // namespace tradewind
