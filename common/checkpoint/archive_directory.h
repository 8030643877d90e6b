// The central directory of a zip file: every record checked against the file before use.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "common/checkpoint/archive.h"

namespace tradewind::checkpoint {

// Entries in the order of the directory; names are unique, relative and without ".."; extents lie before the directory
// and do not overlap. UserError naming `path` and the entry.
std::vector<ArchiveEntry> read_directory(std::span<const std::byte> file, const std::string& path);

}  // namespace tradewind::checkpoint
