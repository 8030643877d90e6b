// The parts of a zip file that stand around its entries' bytes (PKWARE's APPNOTE 6.3, 4.3 and 4.5.3). Sizes and offsets
// always stand in the zip64 fields. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace tradewind::npz {

struct ZipEntry {
  std::string name;
  std::uint32_t crc = 0;     // of the bytes as they were
  std::uint64_t size = 0;    // as they were
  std::uint64_t packed = 0;  // as they stand in the file
  std::uint64_t offset = 0;  // of the local header
  bool deflated = false;
};

std::string local_header(const ZipEntry& entry);
std::string central_header(const ZipEntry& entry);
// What ends the file: `size` bytes of central headers at `offset`.
std::string end_records(std::uint64_t entries, std::uint64_t offset, std::uint64_t size);

}  // namespace tradewind::npz
