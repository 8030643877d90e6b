// The precisions that a model computes in, and the names that configurations, checkpoints and command lines have for
// them. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tradewind {

enum class Precision { f32, f16, bf16 };

std::optional<Precision> precision_of(std::string_view name);
// Every name, for a hint.
const std::vector<std::string>& precision_names();
// Of one value.
std::int64_t bytes_of(Precision precision);

}  // namespace tradewind
