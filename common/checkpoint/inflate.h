// Raw deflate, bounded: what a zip entry's payload holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace tradewind::checkpoint {

// Exactly `out.size()` bytes must come out and have the given CRC-32, else UserError with `where`.
void inflate_raw(std::span<const std::byte> in, std::span<std::byte> out, std::uint32_t crc, const std::string& where);

}  // namespace tradewind::checkpoint
