#include "common/archive/archive.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "common/archive/directory.h"
#include "common/archive/inflate.h"
#include "common/archive/mapped_files.h"
#include "common/errors.h"

namespace tradewind::archive {
namespace {

// Deflate cannot do better than this, so a larger size is a lie.
constexpr std::uint64_t best_ratio = 1032;

// Read-only, private: pages come from the page cache, which all ranks of a host share.
class Mapping {
 public:
  Mapping(const std::string& path, const std::string& wanted) : path_(path), wanted_(wanted) {
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) throw refusal(path, std::strerror(errno));
    struct stat status {};
    const int failed = ::fstat(file, &status);
    const bool regular = !failed && S_ISREG(status.st_mode);
    if (regular && status.st_size > 0) {
      size_ = static_cast<std::size_t>(status.st_size);
      data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    }
    const int error = errno;
    const auto leave = [file](auto&& why) {
      ::close(file);
      throw std::forward<decltype(why)>(why);
    };
    if (!failed && S_ISDIR(status.st_mode)) leave(refusal(path, "is a folder"));
    if (!regular) leave(refusal(path, "not a regular file"));
    if (size_ == 0) leave(refusal(path, "the file is empty"));
    if (data_ == MAP_FAILED) leave(EnvironmentFault(std::string("cannot map the file: ") + std::strerror(error), path));
    file_is_mapped(bytes(), path_.c_str());
    file_ = file;
    changed_ = status.st_mtim;
    inode_ = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
  }
  ~Mapping() {
    file_is_gone(bytes());
    ::munmap(data_, size_);
    ::close(file_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }
  void advise(int advice) const { ::madvise(data_, size_, advice); }

  const std::string& inode() const { return inode_; }

  void require_unchanged(const std::string& path) const {
    struct stat status {};
    if (::fstat(file_, &status) != 0)
      throw EnvironmentFault(std::string("cannot look at the file: ") + std::strerror(errno), path);
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size != size_) changed(path, "from " + std::to_string(size_) + " to " + std::to_string(size) + " bytes");
    if (status.st_mtim.tv_sec != changed_.tv_sec || status.st_mtim.tv_nsec != changed_.tv_nsec)
      changed(path, "by its time of change");
  }
  void read_at(std::uint64_t offset, std::span<std::byte> to, const std::string& path) const {
    while (!to.empty()) {
      const ssize_t got = ::pread(file_, to.data(), to.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw EnvironmentFault(std::string("cannot read the file: ") + std::strerror(errno), path);
      if (got == 0) changed(path, "it ends before byte " + std::to_string(offset));
      offset += static_cast<std::uint64_t>(got);
      to = to.subspan(static_cast<std::size_t>(got));
    }
  }

 private:
  UserError refusal(const std::string& path, const std::string& why) const {
    return UserError(why, path, "give the path of " + wanted_);
  }
  [[noreturn]] static void changed(const std::string& path, const std::string& how) {
    throw EnvironmentFault("the file has changed while it was in use (" + how + ")", path,
                           "run the forecast anew; put another file beside the old one and rename it, instead of "
                           "writing into the old one");
  }

  int file_ = -1;
  timespec changed_{};
  const std::string path_, wanted_;
  std::string inode_;
  void* data_ = MAP_FAILED;
  std::size_t size_ = 0;
};

struct Bytes {
  std::string all;
};

class ZipArchive : public Archive {
 public:
  ZipArchive(const std::string& path, const std::string& wanted)
      : path_(path), mapping_(std::make_unique<Mapping>(path, wanted)), file_(mapping_->bytes()) {
    // The local headers lie far apart: no read-ahead while they are visited, the usual one for the tensors.
    mapping_->advise(MADV_RANDOM);
    index(wanted);
    mapping_->advise(MADV_NORMAL);
  }
  ZipArchive(Bytes bytes, std::string name)
      : path_(std::move(name)), memory_(std::move(bytes.all)), file_(std::as_bytes(std::span(memory_))) {
    index("a zip file");
  }

  const std::string& path() const override { return path_; }
  std::uint64_t file_size() const override { return file_.size(); }
  const std::vector<Entry>& entries() const override { return entries_; }
  const std::string& root() const override { return root_; }

  const Entry* find(std::string_view name) const override {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &entries_[found->second];
  }

  std::span<const std::byte> bytes(const Entry& entry) const override {
    if (entry.deflated)
      throw UserError("the entry is compressed", where(entry), "rewrite the file with stored entries");
    return payload(entry);
  }

  std::string read(const Entry& entry, std::uint64_t limit) const override {
    if (entry.size > limit)
      throw UserError(
          "the entry has " + std::to_string(entry.size) + " bytes, more than the " + std::to_string(limit) + " allowed",
          where(entry));
    const auto stored = payload(entry);
    if (!entry.deflated) {
      require_checksum(*this, entry, stored);
      return {reinterpret_cast<const char*>(stored.data()), stored.size()};
    }
    require_possible(entry);
    return inflate_raw(stored, entry.size, entry.crc32, where(entry));
  }

  void check_deflated(const Entry& entry) const override {
    require_possible(entry);
    check_raw(payload(entry), entry.size, entry.crc32, where(entry));
  }

  std::span<const std::byte> mapped() const override { return file_; }
  void read_at(std::uint64_t offset, std::span<std::byte> to) const override {
    if (mapping_) return mapping_->read_at(offset, to, path_);
    if (offset > file_.size() || file_.size() - offset < to.size()) throw InternalFault("beyond the archive", path_);
    std::memcpy(to.data(), file_.data() + offset, to.size());
  }
  void require_unchanged() const override {
    if (mapping_) mapping_->require_unchanged(path_);
  }
  std::string inode() const override { return mapping_ ? mapping_->inode() : path_; }
  std::string fingerprint() const override {
    uLong sum = ::crc32(0, nullptr, 0);
    const auto add = [&sum](const void* from, std::size_t size) {
      sum = ::crc32_z(sum, static_cast<const Bytef*>(from), size);
    };
    for (const Entry& entry : entries_) {
      add(entry.name.data(), entry.name.size());
      const std::uint64_t told[] = {entry.offset, entry.stored_size, entry.size, entry.crc32};
      add(told, sizeof(told));
    }
    return std::to_string(file_.size()) + "-" + std::to_string(sum);
  }

 private:
  std::string where(const Entry& entry) const { return path_ + ": " + entry.name; }
  void require_possible(const Entry& entry) const {
    if (entry.size / best_ratio > entry.stored_size) throw UserError("the compressed entry is damaged", where(entry));
  }
  std::span<const std::byte> payload(const Entry& entry) const {
    if (entry.offset > file_.size() || file_.size() - entry.offset < entry.stored_size)
      throw InternalFault("an entry of another archive", where(entry));
    return file_.subspan(entry.offset, entry.stored_size);
  }

  void index(const std::string& wanted) {
    entries_ = read_directory(file_, path_, wanted);
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
  std::vector<Entry> entries_;
  std::unordered_map<std::string_view, std::size_t> by_name_;
  std::string root_;
};

}  // namespace

void require_checksum(const Archive& archive, const Entry& entry, std::span<const std::byte> bytes) {
  if (entry.crc32 == 0) return;
  const uLong sum = ::crc32_z(::crc32(0, nullptr, 0), reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  if (sum != entry.crc32) refuse_checksum(archive, entry);
}

void refuse_checksum(const Archive& archive, const Entry& entry) {
  throw UserError("the entry is damaged: its checksum does not match its content", archive.path() + ": " + entry.name,
                  "fetch the file again");
}

std::shared_ptr<const Archive> Archive::open(const std::string& path, const std::string& wanted) {
  return std::make_shared<ZipArchive>(path, wanted);
}

std::shared_ptr<const Archive> Archive::from_bytes(std::string bytes, std::string name) {
  return std::make_shared<ZipArchive>(Bytes{std::move(bytes)}, std::move(name));
}

}  // namespace tradewind::archive
