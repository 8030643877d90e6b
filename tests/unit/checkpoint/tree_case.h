// Trees of checkpoints without their weights, one for each family of models: trees/NAME.zip, made by
// tests/tools/make_trees.py from the further cases of that name.
#pragma once

#include <cstddef>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "common/archive/archive.h"
#include "tests/unit/archive/zip_builder.h"

namespace tradewind::checkpoint {

// As the checkpoint was, but for the zeros in it; in memory.
inline std::shared_ptr<const archive::Archive> unpacked_tree(const std::string& path) {
  const auto packed = archive::Archive::open(path);
  std::vector<ZipEntry> entries;
  for (const archive::Entry& entry : packed->entries()) {
    const std::string content = packed->read(entry, std::uint64_t{64} << 20);
    if (entry.name != "zeros") {
      entries.push_back({.name = entry.name, .content = content});
      continue;
    }
    std::istringstream lines(content);
    std::string name;
    for (std::size_t size = 0; lines >> name >> size;)
      entries.push_back({.name = name, .content = std::string(size, '\0')});
  }
  return archive::Archive::from_bytes(zip_of(entries), path);
}

}  // namespace tradewind::checkpoint
