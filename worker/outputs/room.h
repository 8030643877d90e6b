// Whether files can be made where an output wants them, and whether there is room, before the forecast begins. Nothing
// is made. Thread-safe. Errors: UserError for a path that is no file's, EnvironmentFault for what the system refuses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tradewind::outputs {

// Throws when no file could be made at the path: a folder is there or a file in the place of a folder, the nearest
// folder that is there cannot be written.
void check_place(const std::string& path);

// Bytes that this user may still write where the file is or would be; nullopt where the file system does not say.
std::optional<std::uint64_t> free_bytes(const std::string& path);

// Bytes to be written.
struct Need {
  std::uint64_t first = 0;  // at least, for the first state
  std::uint64_t all = 0;    // at most, for all states
};
// Throws when the first state does not fit where the files are or would be; else a warning where all of it may not.
// What a killed run has left beside those names counts as free; older files stay until the new ones are whole.
std::vector<std::string> check_room(const std::vector<std::string>& files, const Need& need);

}  // namespace tradewind::outputs
