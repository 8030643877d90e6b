// What the bytes of a message say without ecCodes: the section that describes its grid, and the size of a picture that
// holds its values. Formats: WMO Manual on Codes, FM 92 GRIB editions 1 and 2; ISO 15444-1 annex A; RFC 2083.
// Pure, thread-safe; every length is checked.
#pragma once

#include <cstdint>
#include <string_view>

namespace tradewind::grib {

std::uint64_t big_endian(std::string_view bytes);

// The bytes that say which grid a message is on: section 3 of edition 2, section 2 of edition 1, or where that has none
// the part of its section 1 with centre and number of the grid. Same bytes, same points in the same order.
// Errors: UserError at `where` for sections beyond the message.
std::string_view grid_section(std::string_view message, std::string_view where);

// Points in the picture (JPEG 2000, PNG) that the data section of an edition 2 message holds; 0 when there is none.
std::uint64_t points_in_picture(std::string_view message, std::string_view where);

}  // namespace tradewind::grib
