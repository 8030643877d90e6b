// The files of a zarr store, read only: a folder, or a zip file as zarr writes it. Names are ours, made of the names of
// arrays and the numbers of chunks; what a name leads to must be a regular file. A store must stay as it is while it is
// read: a file that changes meanwhile is an error. Thread-safe. Errors: UserError naming the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace tradewind::zarr {

// One file, open. Its extent is what it was when it was opened.
class StoredFile {
 public:
  virtual ~StoredFile() = default;
  virtual std::int64_t size() const = 0;
  virtual const std::string& where() const = 0;
  // Bytes from `offset` on; UserError when the file has not so many, or has changed.
  virtual void read(std::int64_t offset, std::span<std::byte> to) const = 0;
};

class Store {
 public:
  // `path`: a folder, or a file that ends in .zip.
  static std::shared_ptr<const Store> open(const std::string& path);
  virtual ~Store() = default;
  virtual const std::string& path() const = 0;
  // nullptr when there is none of this name.
  virtual std::unique_ptr<StoredFile> find(const std::string& name) const = 0;
  std::optional<std::string> text(const std::string& name, std::int64_t limit) const;
};

// The two kinds.
std::shared_ptr<const Store> open_folder(const std::string& path);
std::shared_ptr<const Store> open_zip(const std::string& path);

}  // namespace tradewind::zarr
