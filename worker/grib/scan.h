// Where the messages of a GRIB file lie. Reads only the section headers; junk between messages is skipped, and each of
// several fields in one message of edition 2 (sections 2 to 7 repeated: WMO regulation 92.6.2) counts as a message.
// Pure functions of the file's content, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "worker/grib/file_reader.h"

namespace tradewind::grib {

// Every message of the file, in order. Errors: UserError with message number and offset for a message that is cut off,
// has no end mark, is not filled by its sections or is of an edition other than 1 and 2; UserError when a non-empty
// file holds none.
std::vector<Extent> scan_messages(const FileReader& file, const std::string& path);

// "FILE, message 3 at byte 1234"
std::string location(const std::string& path, std::size_t number, std::uint64_t offset);

}  // namespace tradewind::grib
