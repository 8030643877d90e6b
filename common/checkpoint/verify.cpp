#include "common/checkpoint/verify.h"

#include <zlib.h>

#include <algorithm>

#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

constexpr std::size_t piece = std::size_t{256} << 10;             // stays in the cache of a core
constexpr std::uint64_t most_unpacked = std::uint64_t{16} << 30;  // a bound on time: they are not kept

}  // namespace

Verification::Verification(std::shared_ptr<const archive::Archive> archive, Share share)
    : archive_(std::move(archive)) {
  std::uint64_t total = 0, seen = 0;
  for (const archive::Entry& entry : archive_->entries()) total += entry.stored_size;
  for (const archive::Entry& entry : archive_->entries()) {
    const auto owner =
        static_cast<int>(static_cast<double>(seen) / static_cast<double>(std::max<std::uint64_t>(total, 1)) * share.of);
    seen += entry.stored_size;
    if (std::min(owner, share.of - 1) != share.index) continue;
    if (entry.deflated || entry.crc32 == 0) continue;  // checked whenever it is unpacked; cannot be checked
    entries_.push_back(&entry);
    left_ += entry.size;
  }
  buffer_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(piece, left_)));
}

bool Verification::step() {
  if (at_ == entries_.size()) return false;
  const archive::Entry& entry = *entries_[at_];
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

Refusals damaged_entries(const std::shared_ptr<const archive::Archive>& archive) {
  Refusals out;
  Verification verification(archive);
  for (bool more = true; more;) {
    const bool fine = attempt(out, [&] { more = verification.step(); });
    if (!fine) more = verification.bytes_left() > 0;
  }
  std::uint64_t unpacked = 0;
  for (const archive::Entry& entry : archive->entries()) {
    if (!entry.deflated) continue;
    attempt(out, [&] {
      if (entry.size > most_unpacked || (unpacked += entry.size) > most_unpacked)
        throw UserError("not checked: its compressed entries hold more than " + std::to_string(most_unpacked >> 30) +
                            " GiB once they are unpacked",
                        archive->path() + ": " + entry.name, "rewrite the file with stored entries");
      archive->check_deflated(entry);
    });
  }
  return out;
}

std::vector<std::string> without_checksum(const archive::Archive& archive) {
  std::vector<std::string> names;
  for (const archive::Entry& entry : archive.entries())
    if (!entry.deflated && entry.crc32 == 0 && entry.size > 0) names.push_back(entry.name);
  return names;
}

std::string warning_without_checksum(const archive::Archive& archive) {
  constexpr std::size_t most_named = 3;
  const std::vector<std::string> names = without_checksum(archive);
  if (names.empty()) return {};
  std::string text = "the checkpoint gives no checksum for ";
  for (std::size_t i = 0; i < std::min(names.size(), most_named); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > most_named) text += " and " + std::to_string(names.size() - most_named) + " more";
  return text + ": damage to " + (names.size() == 1 ? "it" : "them") + " would not be noticed";
}

}  // namespace tradewind::checkpoint
