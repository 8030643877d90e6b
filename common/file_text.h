// The text of a small file.
#pragma once

#include <filesystem>
#include <string>

namespace tradewind {

// Empty also when the file cannot be opened, and what was read when reading fails: a file of /proc goes with its
// process, between opening and reading too, or may be opened but not read. A stream buffer would throw then. Never
// throws, but for want of memory; thread-safe.
std::string file_text(const std::filesystem::path& file);

}  // namespace tradewind
