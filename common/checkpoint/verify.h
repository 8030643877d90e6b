// The CRC-32s that a checkpoint's directory gives for its entries, held against their bytes: a flipped bit in a weight
// is otherwise a wrong forecast that nothing tells. In pieces, so that it can go on beside other work.
// Not thread-safe; one thread may begin and another finish. Errors: UserError naming file and entry; EnvironmentFault
// when the file cannot be read any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/archive/archive.h"
#include "common/refusals.h"

namespace tradewind::checkpoint {

// Of the processes that check a file together: entries are dealt out by where they lie.
struct Share {
  int index = 0, of = 1;
};

class Verification {
 public:
  explicit Verification(std::shared_ptr<const archive::Archive> archive, Share share = {});
  // Checks the next piece. False when all are done. After an error it can be called again, for the entries that follow.
  bool step();
  std::uint64_t bytes_left() const { return left_; }

 private:
  std::shared_ptr<const archive::Archive> archive_;
  std::vector<const archive::Entry*> entries_;
  std::size_t at_ = 0;                 // entry in progress
  std::uint64_t done_ = 0, left_ = 0;  // bytes of it; of all
  unsigned long sum_ = 0;
  std::vector<std::byte> buffer_;
};

// Every entry whose bytes are not those that were written, compressed ones unpacked; reads the whole file. Nothing can
// be said of `without_checksum`.
Refusals damaged_entries(const std::shared_ptr<const archive::Archive>& archive);

// Entries that the file gives no CRC-32 for: damage to them stays unseen.
std::vector<std::string> without_checksum(const archive::Archive& archive);
// A sentence that names the first of them; empty when there are none.
std::string warning_without_checksum(const archive::Archive& archive);

}  // namespace tradewind::checkpoint
