// The central directory of a zip file: every record checked against the file before use.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "common/archive/archive.h"

namespace tradewind::archive {

// Entries in the order of the directory; names are unique, relative and without ".."; extents lie before the directory
// and do not overlap. UserError naming `path` and the entry; `wanted` as in archive.h.
std::vector<Entry> read_directory(std::span<const std::byte> file, const std::string& path, const std::string& wanted);

}  // namespace tradewind::archive
