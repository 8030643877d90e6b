// The known word that a mistyped one most likely means. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tradewind {

// By the number of edits (insert, delete, replace, swap of neighbours), `-` and `_`, upper and lower case being alike;
// of equals the first. Nothing when all are too far to be a slip, or when the word is no word (64 characters and more).
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

// "did you mean 'known'? " or nothing: to begin a remedy with.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace tradewind
