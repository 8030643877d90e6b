// status.json of a run folder, read as what a stranger may have put there: a regular file of bounded size, depth and
// number of ranks, with the keys and types that Tradewind writes, and no control characters in its texts.
// Thread-safe.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace tradewind::launcher {

struct StatusFile {
  nlohmann::ordered_json status;
  // Keys whose value has another type than Tradewind writes, or is out of all bounds: left out. The first few.
  std::vector<std::string> odd;
};

// EnvironmentFault when it cannot be opened or read, UserError when it is no status. Never waits; follows no link.
StatusFile read_status(const std::filesystem::path& file);

// Of such a file's text: the keys that are known, those that miss left out. `where` names it in errors. Pure.
StatusFile parse_status(std::string_view text, const std::string& where);

}  // namespace tradewind::launcher
