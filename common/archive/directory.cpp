#include "common/archive/directory.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_set>

#include "common/errors.h"

namespace tradewind::archive {
namespace {

// Record signatures and sizes of the .ZIP file format specification (APPNOTE 6.3, section 4.3).
constexpr std::uint32_t local_signature = 0x04034b50, central_signature = 0x02014b50, end_signature = 0x06054b50,
                        end64_signature = 0x06064b50, locator64_signature = 0x07064b50;
constexpr std::uint64_t local_size = 30, central_size = 46, end_size = 22, end64_size = 56, locator64_size = 20;
// A checkpoint has an entry for each of its tensors, some thousands. Each costs memory and a look at its own header.
constexpr std::uint64_t most_entries = 200'000, largest_directory = std::uint64_t{64} << 20;
constexpr std::uint64_t saturated16 = 0xffff, saturated32 = 0xffffffff;

class Directory {
 public:
  Directory(std::span<const std::byte> file, const std::string& path, const std::string& wanted)
      : file_(file), path_(path), wanted_(wanted) {}

  std::vector<Entry> read() {
    find_end();
    if (count_ > directory_size_ / central_size) fail("its central directory is too short for its number of entries");
    if (count_ > most_entries || directory_size_ > largest_directory)
      fail("its central directory has " + std::to_string(count_) + " entries in " + std::to_string(directory_size_) +
           " bytes, more than any that is read");
    entries_.reserve(count_);
    starts_.reserve(count_);
    std::uint64_t at = directory_offset_;
    for (std::uint64_t i = 0; i < count_; ++i) at = read_entry(at);
    if (at != directory_offset_ + directory_size_) fail("its central directory is longer than its entries");
    check_overlap();
    return std::move(entries_);
  }

 private:
  [[noreturn]] void fail(const std::string& what, const std::string& entry = {}) const {
    throw UserError("damaged zip file: " + what, entry.empty() ? path_ : path_ + ": " + entry,
                    "fetch the file again; it may have been cut off in transfer");
  }

  template <class T>
  T number(std::uint64_t at) const {
    T value;
    if (at > file_.size() || file_.size() - at < sizeof(T)) fail("a record ends beyond the file");
    std::memcpy(&value, file_.data() + at, sizeof(T));
    return value;
  }
  std::uint64_t u16(std::uint64_t at) const { return number<std::uint16_t>(at); }
  std::uint64_t u32(std::uint64_t at) const { return number<std::uint32_t>(at); }
  std::uint64_t u64(std::uint64_t at) const { return number<std::uint64_t>(at); }
  std::string text(std::uint64_t at, std::uint64_t size) const {
    if (at > file_.size() || file_.size() - at < size) fail("a name ends beyond the file");
    return {reinterpret_cast<const char*>(file_.data() + at), static_cast<std::size_t>(size)};
  }

  void find_end() {
    if (file_.size() < end_size) throw UserError("not a zip file", path_, "give " + wanted_ + " itself");
    const std::uint64_t last = file_.size() - end_size;
    const std::uint64_t first = last > saturated16 ? last - saturated16 : 0;
    for (std::uint64_t at = last + 1; at-- > first;) {
      if (u32(at) == end_signature && u16(at + 20) == last - at) return read_end(at);
    }
    if (u32(0) == local_signature) fail("it has no central directory, so its end is missing");
    throw UserError("not a zip file", path_, "give " + wanted_ + " itself");
  }

  void read_end(std::uint64_t at) {
    count_ = u16(at + 10);
    directory_size_ = u32(at + 12);
    directory_offset_ = u32(at + 16);
    std::uint64_t disks = u16(at + 4) | u16(at + 6);
    std::uint64_t limit = at;
    if (at >= locator64_size && u32(at - locator64_size) == locator64_signature) {
      const std::uint64_t end64 = u64(at - locator64_size + 8);
      if (end64 > at - locator64_size || at - locator64_size - end64 < end64_size || u32(end64) != end64_signature)
        fail("its zip64 end record is not where it should be");
      if (count_ == saturated16) count_ = u64(end64 + 32);
      if (directory_size_ == saturated32) directory_size_ = u64(end64 + 40);
      if (directory_offset_ == saturated32) directory_offset_ = u64(end64 + 48);
      if (disks == saturated16) disks = u32(end64 + 16) | u32(end64 + 20);
      limit = end64;
    }
    if (disks != 0) fail("it is one part of several");
    if (directory_offset_ > limit || directory_size_ > limit - directory_offset_)
      fail("its central directory lies outside the file");
  }

  // Reads the record at `at` and the local header it points to; returns where the next record begins.
  std::uint64_t read_entry(std::uint64_t at) {
    const std::uint64_t end = directory_offset_ + directory_size_;
    if (end - at < central_size || u32(at) != central_signature) fail("a record of its central directory is malformed");
    const std::uint64_t flags = u16(at + 8), method = u16(at + 10), name_size = u16(at + 28), extra_size = u16(at + 30),
                        comment_size = u16(at + 32);
    const std::uint64_t next = at + central_size + name_size + extra_size + comment_size;
    if (next > end) fail("a record of its central directory ends beyond it");

    Entry entry;
    entry.name = text(at + central_size, name_size);
    check_name(entry.name);
    entry.crc32 = number<std::uint32_t>(at + 16);
    entry.stored_size = u32(at + 20);
    entry.size = u32(at + 24);
    std::uint64_t local = u32(at + 42), disk = u16(at + 34);
    read_zip64_extra(at + central_size + name_size, extra_size, entry, local, disk);
    if (disk != 0) fail("it lies in another part", entry.name);
    if (flags & 0x2041) throw UserError("the entry is encrypted, which is not supported", path_ + ": " + entry.name);
    if (method != 0 && method != 8)
      throw UserError("compression method " + std::to_string(method) + " is not supported", path_ + ": " + entry.name,
                      "rewrite the file with stored or deflated entries");
    entry.deflated = method == 8;
    if (!entry.deflated && entry.stored_size != entry.size) fail("a stored entry has two different sizes", entry.name);
    entry.offset = payload(local, entry);
    starts_.emplace_back(local, entries_.size());
    entries_.push_back(std::move(entry));
    return next;
  }

  void read_zip64_extra(std::uint64_t at, std::uint64_t size, Entry& entry, std::uint64_t& local,
                        std::uint64_t& disk) const {
    const bool needed = entry.size == saturated32 || entry.stored_size == saturated32 || local == saturated32;
    for (const std::uint64_t end = at + size; needed && end - at >= 4;) {
      const std::uint64_t id = u16(at), field_end = at + 4 + u16(at + 2);
      if (field_end > end) fail("an extra field ends beyond its record", entry.name);
      if (id != 1) {
        at = field_end;
        continue;
      }
      at += 4;
      for (std::uint64_t* value : {&entry.size, &entry.stored_size, &local}) {
        if (*value != saturated32) continue;
        if (field_end - at < 8) fail("its zip64 field is too short", entry.name);
        *value = u64(at);
        at += 8;
      }
      if (disk == saturated16 && field_end - at >= 4) disk = u32(at);
      return;
    }
    // A size of exactly 4 GiB - 1 without the field cannot be told from a missing field.
    if (needed) fail("its zip64 field is missing", entry.name);
  }

  std::uint64_t payload(std::uint64_t local, const Entry& entry) const {
    if (local > directory_offset_ || directory_offset_ - local < local_size || u32(local) != local_signature)
      fail("its local header is not where it should be", entry.name);
    const std::uint64_t name_size = u16(local + 26);
    const std::uint64_t begin = local + local_size + name_size + u16(local + 28);
    if (begin > directory_offset_ || directory_offset_ - begin < entry.stored_size)
      fail("its data ends beyond the start of the central directory", entry.name);
    if (name_size != entry.name.size() || text(local + local_size, name_size) != entry.name)
      fail("its local header has another name", entry.name);
    return begin;
  }

  void check_name(const std::string& name) {
    const auto bad = [&](const char* why) {
      std::string shown = name.substr(0, 200);
      std::replace_if(
          shown.begin(), shown.end(), [](unsigned char c) { return c < 32 || c == 127; }, '?');
      fail(why, "entry '" + shown + "'");
    };
    if (name.empty()) bad("an entry has no name");
    if (name.find('\0') != std::string::npos) bad("an entry's name has a NUL");
    if (name.front() == '/') bad("an entry's name is absolute");
    for (std::size_t at = 0; at < name.size();) {
      const std::size_t end = std::min(name.find_first_of("/\\", at), name.size());
      if (name.compare(at, end - at, "..") == 0) bad("an entry's name leaves the archive");
      at = end + 1;
    }
    if (!names_.insert(name).second) bad("two entries have the same name");
  }

  void check_overlap() {
    std::sort(starts_.begin(), starts_.end());
    std::uint64_t end = 0;
    for (const auto& [start, index] : starts_) {
      const Entry& entry = entries_[index];
      if (start < end) fail("its data overlaps another entry's", entry.name);
      end = entry.offset + entry.stored_size;
    }
  }

  std::span<const std::byte> file_;
  const std::string &path_, &wanted_;
  std::uint64_t count_ = 0, directory_offset_ = 0, directory_size_ = 0;
  std::vector<Entry> entries_;
  std::vector<std::pair<std::uint64_t, std::size_t>> starts_;  // local header's offset, index
  std::unordered_set<std::string> names_;
};

}  // namespace

std::vector<Entry> read_directory(std::span<const std::byte> file, const std::string& path, const std::string& wanted) {
  return Directory(file, path, wanted).read();
}

}  // namespace tradewind::archive
