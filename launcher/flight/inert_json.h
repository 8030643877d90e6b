// A pickle's plain values as JSON: nothing is executed, and what is no plain value (a class, a tensor) is refused.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace tradewind::launcher {

// UserError naming `where` for what is no pickle of plain values, and for one that comes to more than it may.
nlohmann::ordered_json json_of_pickle(std::string_view bytes, const std::string& where);

}  // namespace tradewind::launcher
