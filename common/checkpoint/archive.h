// The zip container of a checkpoint (also of .npz files), mapped read-only so that ranks of one host share its pages.
// Reads the central directory only: stored and deflated entries, data descriptors, zip64. Every offset and size is
// checked against the file before use. Immutable after opening, thread-safe.
// The file must not shrink while it is mapped: reading the pages that are gone would end the process.
// Errors: UserError with the file's name and the entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tradewind::checkpoint {

struct ArchiveEntry {
  std::string name;
  std::uint64_t offset = 0;  // of the payload in the file
  std::uint64_t stored_size = 0, size = 0;
  std::uint32_t crc32 = 0;  // checked for deflated entries only: torch may be told to leave it out of stored ones
  bool deflated = false;
};

class Archive {
 public:
  static std::shared_ptr<const Archive> open(const std::string& path);
  // The same over bytes in memory; `name` stands for the path in errors.
  static std::shared_ptr<const Archive> from_bytes(std::string bytes, std::string name);
  virtual ~Archive() = default;
  virtual const std::string& path() const = 0;
  virtual std::uint64_t file_size() const = 0;
  virtual const std::vector<ArchiveEntry>& entries() const = 0;
  // The one top folder of a checkpoint ("inference-last/"), with its slash; empty when entries have none in common.
  virtual const std::string& root() const = 0;
  virtual const ArchiveEntry* find(std::string_view name) const = 0;  // whole name; null when absent
  // Payload of a stored entry as mapped bytes, no copy. UserError when the entry is deflated.
  virtual std::span<const std::byte> bytes(const ArchiveEntry& entry) const = 0;
  // Payload of any entry, inflated when needed; refuses more than `limit` bytes.
  virtual std::string read(const ArchiveEntry& entry, std::uint64_t limit) const = 0;
};

}  // namespace tradewind::checkpoint
