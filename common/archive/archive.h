// A zip file (checkpoint, .npz, zipped zarr store), mapped read-only so that ranks of one host share its pages.
// Reads the central directory only: stored and deflated entries, data descriptors, zip64. Every offset and size is
// checked against the file before use. Immutable after opening, thread-safe.
// The file must not change while it is mapped: pages that are gone end the process with SIGBUS. require_unchanged()
// tells. Errors: UserError with the file's name and the entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tradewind::archive {

struct Entry {
  std::string name;
  std::uint64_t offset = 0;  // of the payload in the file
  std::uint64_t stored_size = 0, size = 0;
  std::uint32_t crc32 = 0;  // 0: not told (torch may leave it out of stored entries)
  bool deflated = false;
};

class Archive {
 public:
  // `wanted`: what the user is to give when it is no zip file.
  static std::shared_ptr<const Archive> open(const std::string& path, const std::string& wanted = "a zip file");
  // The same over bytes in memory; `name` stands for the path in errors.
  static std::shared_ptr<const Archive> from_bytes(std::string bytes, std::string name);
  virtual ~Archive() = default;
  virtual const std::string& path() const = 0;
  virtual std::uint64_t file_size() const = 0;
  virtual const std::vector<Entry>& entries() const = 0;
  // The one top folder of a checkpoint ("inference-last/"), with its slash; empty when entries have none in common.
  virtual const std::string& root() const = 0;
  virtual const Entry* find(std::string_view name) const = 0;  // whole name; null when absent
  // Payload of a stored entry as mapped bytes, no copy; its CRC-32 is not looked at. UserError when it is deflated.
  virtual std::span<const std::byte> bytes(const Entry& entry) const = 0;
  // Payload of any entry, inflated when needed, its CRC-32 checked; refuses more than `limit` bytes.
  virtual std::string read(const Entry& entry, std::uint64_t limit) const = 0;
  // UserError when a deflated entry does not unpack to what the directory says of it. Keeps nothing of it.
  virtual void check_deflated(const Entry& entry) const = 0;

  // The whole file as it is mapped.
  virtual std::span<const std::byte> mapped() const = 0;
  // Bytes of the file from `offset` on into `to`, past the mapping, so that this process's memory does not grow.
  // EnvironmentFault when they cannot be read, or are no longer there.
  virtual void read_at(std::uint64_t offset, std::span<std::byte> to) const = 0;
  // EnvironmentFault when the file that is mapped has been written to or cut off since it was opened.
  virtual void require_unchanged() const = 0;
  // The same for two processes of one host that have the same file mapped.
  virtual std::string inode() const = 0;
  // The same for files of the same content as far as their directories tell: names, places, sizes, CRC-32s.
  virtual std::string fingerprint() const = 0;
};

// UserError naming file and entry when the bytes of an entry do not have the CRC-32 that the directory gives it.
void require_checksum(const Archive& archive, const Entry& entry, std::span<const std::byte> bytes);
[[noreturn]] void refuse_checksum(const Archive& archive, const Entry& entry);

}  // namespace tradewind::archive
