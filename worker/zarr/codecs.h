// Unpacks chunks. What comes out must have exactly the size that the array's metadata promises, which is known before
// anything is made room for; a chunk that says otherwise is refused. Pure functions, thread-safe. Errors: UserError.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "worker/zarr/array_info.h"

namespace tradewind::zarr {

using Bytes = std::vector<std::byte>;

// The elements of a chunk as they lie in memory (ChunkForm), out of what is stored.
Bytes unpack(Bytes stored, const ChunkForm& form, const std::string& where);

// What a packed chunk may take at most, however badly it was packed.
std::int64_t most_packed(const ChunkForm& form);

std::uint32_t crc32c(std::span<const std::byte> bytes);  // of iSCSI, RFC 3720

}  // namespace tradewind::zarr
