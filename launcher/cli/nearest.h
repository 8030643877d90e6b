// The known word that a mistyped one most likely means. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tradewind::launcher {

// By edit distance, neighbours swapped counting once; nothing when all are too far to be a guess.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace tradewind::launcher
