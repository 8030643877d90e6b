// Which mapped file an address lies in, for the last word of a process that a missing page ends. Lock-free;
// mapped_file_at is safe in a signal handler. A file beyond the first that fit is not found.
#pragma once

#include <cstddef>
#include <span>

namespace tradewind::archive {

// `path` must live until it is told to be gone.
void file_is_mapped(std::span<const std::byte> bytes, const char* path);
void file_is_gone(std::span<const std::byte> bytes);
// Null when the address is in no file that is known.
const char* mapped_file_at(const void* address);

}  // namespace tradewind::archive
