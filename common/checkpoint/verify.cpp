#include "common/checkpoint/verify.h"

#include <zlib.h>

#include <algorithm>

#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

constexpr std::size_t piece = std::size_t{256} << 10;  // stays in the cache of a core

}  // namespace

Verification::Verification(std::shared_ptr<const Archive> archive, Share share) : archive_(std::move(archive)) {
  std::uint64_t total = 0, seen = 0;
  for (const ArchiveEntry& entry : archive_->entries()) total += entry.stored_size;
  for (const ArchiveEntry& entry : archive_->entries()) {
    const auto owner =
        static_cast<int>(static_cast<double>(seen) / static_cast<double>(std::max<std::uint64_t>(total, 1)) * share.of);
    seen += entry.stored_size;
    if (std::min(owner, share.of - 1) != share.index) continue;
    if (entry.deflated) continue;  // checked when it was unpacked
    if (entry.crc32 == 0) {
      untold_ += entry.size > 0 ? 1 : 0;
      continue;
    }
    entries_.push_back(&entry);
    left_ += entry.size;
  }
  buffer_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(piece, left_)));
}

bool Verification::step() {
  if (at_ == entries_.size()) return false;
  const ArchiveEntry& entry = *entries_[at_];
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), entry.size - done_));
  const std::span<std::byte> bytes(buffer_.data(), size);
  archive_->read_at(entry.offset + done_, bytes);
  sum_ = ::crc32_z(sum_, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  done_ += size;
  left_ -= size;
  if (done_ < entry.size) return true;
  const bool damaged = sum_ != entry.crc32;
  ++at_;
  done_ = 0;
  sum_ = 0;
  if (damaged) refuse_checksum(*archive_, entry);
  return at_ < entries_.size();
}

Refusals damaged_entries(const std::shared_ptr<const Archive>& archive) {
  Refusals out;
  Verification verification(archive);
  for (bool more = true; more;) {
    const bool fine = attempt(out, [&] { more = verification.step(); });
    if (!fine) more = verification.bytes_left() > 0;
  }
  return out;
}

}  // namespace tradewind::checkpoint
