#include "common/checkpoint/archive.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unordered_map>

#include "common/checkpoint/archive_directory.h"
#include "common/checkpoint/inflate.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

// Deflate cannot do better than this, so a larger size is a lie.
constexpr std::uint64_t best_ratio = 1032;

// Read-only, private: pages come from the page cache, which all ranks of a host share.
class Mapping {
 public:
  explicit Mapping(const std::string& path) {
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) refuse(path, std::strerror(errno));
    struct stat status {};
    const int failed = ::fstat(file, &status);
    const bool regular = !failed && S_ISREG(status.st_mode);
    if (regular && status.st_size > 0) {
      size_ = static_cast<std::size_t>(status.st_size);
      data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    }
    const int error = errno;
    ::close(file);
    if (!failed && S_ISDIR(status.st_mode)) refuse(path, "is a folder");
    if (!regular) refuse(path, "not a regular file");
    if (size_ == 0) refuse(path, "the file is empty");
    if (data_ == MAP_FAILED) throw EnvironmentFault(std::string("cannot map the file: ") + std::strerror(error), path);
  }
  ~Mapping() { ::munmap(data_, size_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }
  void advise(int advice) const { ::madvise(data_, size_, advice); }

 private:
  [[noreturn]] static void refuse(const std::string& path, const std::string& why) {
    throw UserError(why, path, "give the path of an inference checkpoint (.ckpt)");
  }

  void* data_ = MAP_FAILED;
  std::size_t size_ = 0;
};

class ZipArchive : public Archive {
 public:
  explicit ZipArchive(const std::string& path)
      : path_(path), mapping_(std::make_unique<Mapping>(path)), file_(mapping_->bytes()) {
    // The local headers lie far apart: no read-ahead while they are visited, the usual one for the tensors.
    mapping_->advise(MADV_RANDOM);
    index();
    mapping_->advise(MADV_NORMAL);
  }
  ZipArchive(std::string bytes, std::string name)
      : path_(std::move(name)), memory_(std::move(bytes)), file_(std::as_bytes(std::span(memory_))) {
    index();
  }

  const std::string& path() const override { return path_; }
  std::uint64_t file_size() const override { return file_.size(); }
  const std::vector<ArchiveEntry>& entries() const override { return entries_; }
  const std::string& root() const override { return root_; }

  const ArchiveEntry* find(std::string_view name) const override {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &entries_[found->second];
  }

  std::span<const std::byte> bytes(const ArchiveEntry& entry) const override {
    if (entry.deflated)
      throw UserError("the entry is compressed", where(entry), "rewrite the file with stored entries");
    return payload(entry);
  }

  std::string read(const ArchiveEntry& entry, std::uint64_t limit) const override {
    if (entry.size > limit)
      throw UserError(
          "the entry has " + std::to_string(entry.size) + " bytes, more than the " + std::to_string(limit) + " allowed",
          where(entry));
    const auto stored = payload(entry);
    if (!entry.deflated) return {reinterpret_cast<const char*>(stored.data()), stored.size()};
    if (entry.size / best_ratio > stored.size()) throw UserError("the compressed entry is damaged", where(entry));
    std::string content(entry.size, '\0');
    inflate_raw(stored, std::as_writable_bytes(std::span(content)), entry.crc32, where(entry));
    return content;
  }

 private:
  std::string where(const ArchiveEntry& entry) const { return path_ + ": " + entry.name; }
  std::span<const std::byte> payload(const ArchiveEntry& entry) const {
    if (entry.offset > file_.size() || file_.size() - entry.offset < entry.stored_size)
      throw InternalFault("an entry of another archive", where(entry));
    return file_.subspan(entry.offset, entry.stored_size);
  }

  void index() {
    entries_ = read_directory(file_, path_);
    by_name_.reserve(entries_.size());
    for (std::size_t i = 0; i < entries_.size(); ++i) by_name_.emplace(entries_[i].name, i);
    if (entries_.empty()) return;
    const std::string& first = entries_.front().name;
    const std::string top = first.substr(0, first.find('/') + 1);
    if (std::all_of(entries_.begin(), entries_.end(), [&](const auto& entry) { return entry.name.starts_with(top); }))
      root_ = top;
  }

  std::string path_, memory_;
  std::unique_ptr<Mapping> mapping_;
  std::span<const std::byte> file_;
  std::vector<ArchiveEntry> entries_;
  std::unordered_map<std::string_view, std::size_t> by_name_;
  std::string root_;
};

}  // namespace

std::shared_ptr<const Archive> Archive::open(const std::string& path) { return std::make_shared<ZipArchive>(path); }

std::shared_ptr<const Archive> Archive::from_bytes(std::string bytes, std::string name) {
  return std::make_shared<ZipArchive>(std::move(bytes), std::move(name));
}

}  // namespace tradewind::checkpoint
