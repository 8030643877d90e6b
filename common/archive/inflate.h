// Raw deflate, bounded: what a zip entry's payload holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace tradewind::archive {

// Exactly `size` bytes must come out and have the given CRC-32, else UserError with `where`. Room is made step by step,
// as bytes come, so that a size that lies costs nothing.
std::string inflate_raw(std::span<const std::byte> in, std::uint64_t size, std::uint32_t crc, const std::string& where);

// The same check; what comes out is not kept.
void check_raw(std::span<const std::byte> in, std::uint64_t size, std::uint32_t crc, const std::string& where);

}  // namespace tradewind::archive
