// status.json of a run folder, read as what a stranger may have put there: a regular file of bounded size, depth and
// number of ranks, with the keys and types that Tradewind writes, and no control characters in its texts.
// Thread-safe.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace tradewind::launcher {

// EnvironmentFault when it cannot be opened or read, UserError when it is no status. Never waits; follows no link.
nlohmann::ordered_json read_status(const std::filesystem::path& file);

// Of such a file's text: the keys that are known, those that miss left out. `where` names it in errors. Pure.
nlohmann::ordered_json parse_status(std::string_view text, const std::string& where);

}  // namespace tradewind::launcher
