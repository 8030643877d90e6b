// A store in a zip file. Stored entries are read in part; a compressed one, which zarr does not write, as a whole.
#include <algorithm>
#include <cstring>
#include <utility>

#include "common/archive/archive.h"
#include "common/archive/inflate.h"
#include "common/errors.h"
#include "worker/zarr/array_info.h"
#include "worker/zarr/store.h"

namespace tradewind::zarr {
namespace {

using archive::Archive;
using archive::Entry;

// What the archive says of files holds for stores with other words.
template <typename Part>
auto in_store(const std::string& path, Part&& part) {
  try {
    return part();
  } catch (const UserError& error) {
    throw UserError(error.message(), error.where(), "fetch the zarr store again");
  } catch (const EnvironmentFault& error) {
    throw UserError(error.message(), path, "run the forecast when the store is complete");
  }
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

class FileInZip : public StoredFile {
 public:
  FileInZip(std::shared_ptr<const Archive> archive, const Entry& entry)
      : archive_(std::move(archive)), entry_(entry), where_(archive_->path() + ": " + entry.name) {
    if (entry.deflated) unpack();
  }
  std::int64_t size() const override { return static_cast<std::int64_t>(entry_.size); }
  const std::string& where() const override { return where_; }

  void read(std::int64_t offset, std::span<std::byte> to) const override {
    if (offset < 0 || offset > size() || static_cast<std::int64_t>(to.size()) > size() - offset)
      throw UserError("the file has " + std::to_string(size()) + " bytes, which is too few", where_,
                      "the store is damaged; fetch it again");
    if (entry_.deflated) {
      if (!to.empty()) std::memcpy(to.data(), unpacked_.data() + offset, to.size());
      return;
    }
    in_store(where_, [&] {
      archive_->read_at(entry_.offset + static_cast<std::uint64_t>(offset), to);
      archive_->require_unchanged();
      if (to.size() == entry_.size) archive::require_checksum(*archive_, entry_, to);
      return 0;
    });
  }

 private:
  void unpack() {
    if (entry_.stored_size > most_chunk_bytes || entry_.size > most_chunk_bytes)
      throw UserError("the file takes more than " + std::to_string(most_chunk_bytes) + " bytes", where_,
                      "write the store again with smaller chunks");
    in_store(where_, [&] {
      std::string packed(entry_.stored_size, '\0');
      archive_->read_at(entry_.offset, std::as_writable_bytes(std::span(packed)));
      archive_->require_unchanged();
      unpacked_ = archive::inflate_raw(bytes_of(packed), entry_.size, entry_.crc32, where_);
      return 0;
    });
  }

  std::shared_ptr<const Archive> archive_;
  const Entry& entry_;
  std::string where_, unpacked_;
};

class ZipStore : public Store {
 public:
  explicit ZipStore(std::shared_ptr<const Archive> archive) : archive_(std::move(archive)) {}
  const std::string& path() const override { return archive_->path(); }
  std::unique_ptr<StoredFile> find(const std::string& name) const override {
    const Entry* entry = archive_->find(name);
    return entry == nullptr ? nullptr : std::make_unique<FileInZip>(archive_, *entry);
  }

 private:
  std::shared_ptr<const Archive> archive_;
};

}  // namespace

std::shared_ptr<const Store> open_zip(const std::string& path) {
  return std::make_shared<ZipStore>(in_store(path, [&] { return Archive::open(path); }));
}

}  // namespace tradewind::zarr
