#include "worker/grib/scan.h"

#include <array>
#include <cstring>
#include <string_view>

#include "common/errors.h"
#include "worker/grib/sections.h"

namespace tradewind::grib {
namespace {

class Scanner {
 public:
  Scanner(const FileReader& file, const std::string& path) : file_(file), path_(path) {}

  std::vector<Extent> run() {
    std::uint64_t at = 0;
    while (find_magic(at)) {
      const std::uint64_t length = length_at(at);
      check(at, length);
      if (number_at(at + 7, at, 1) == 2)
        add_fields(at, length);
      else
        found_.push_back({at, length});
      at += length;
    }
    if (found_.empty() && file_.size() > 0)
      throw UserError("no GRIB message in the file", path_, "give a GRIB file as input");
    return std::move(found_);
  }

 private:
  // Moves `at` to the next "GRIB"; false when there is none.
  bool find_magic(std::uint64_t& at) {
    if (at + 4 <= file_.size() && number_at(at, at, 4) == 0x47524942) return true;
    std::string block(65536, '\0');  // messages lie end to end as a rule: search wider only once they do not
    while (at + 4 <= file_.size()) {
      const std::size_t got = file_.read(at, block.data(), block.size());
      const auto found = std::string_view(block.data(), got).find("GRIB");
      if (found != std::string_view::npos) {
        at += found;
        return true;
      }
      if (got < 4) return false;
      at += got - 3;
    }
    return false;
  }

  std::uint64_t number_at(std::uint64_t offset, std::uint64_t message, std::size_t bytes) {
    if (offset < window_at_ || offset + bytes > window_at_ + window_size_) {
      window_at_ = offset;
      window_size_ = file_.read(offset, window_.data(), window_.size());
      if (window_size_ < bytes) fail(message, "the file ends inside the message's header");
    }
    return big_endian({window_.data() + (offset - window_at_), bytes});
  }

  std::uint64_t length_at(std::uint64_t at) {
    const auto edition = number_at(at + 7, at, 1);
    if (edition == 2) return number_at(at + 8, at, 8);
    if (edition != 1) fail(at, "GRIB edition " + std::to_string(edition) + " is not known");
    const std::uint64_t length = number_at(at + 4, at, 3);
    return length & 0x800000 ? large_edition_1(at, length) : length;
  }

  // Messages of edition 1 beyond 8 MiB count in units of 120 bytes, and section 4 holds the remainder.
  std::uint64_t large_edition_1(std::uint64_t at, std::uint64_t length) {
    std::uint64_t section = at + 8;
    const std::uint64_t flags = number_at(section + 7, at, 1);
    section += number_at(section, at, 3);
    if (flags & 0x80) section += number_at(section, at, 3);
    if (flags & 0x40) section += number_at(section, at, 3);
    const std::uint64_t section4 = number_at(section, at, 3);
    return section4 < 120 ? (length & 0x7fffff) * 120 - section4 + 4 : length;
  }

  void check(std::uint64_t at, std::uint64_t length) {
    if (length < 12) fail(at, "its length of " + std::to_string(length) + " bytes is impossible");
    if (length > file_.size() - at)
      fail(at, "it says it has " + std::to_string(length) + " bytes, but the file ends after " +
                   std::to_string(file_.size() - at));
    char end[4];
    file_.read(at + length - 4, end, 4);
    if (std::memcmp(end, "7777", 4) != 0) fail(at, "its end mark 7777 is missing");
  }

  // A message of edition 2: one field as a rule, else one for every section 7.
  void add_fields(std::uint64_t at, std::uint64_t length) {
    const std::size_t before = found_.size();
    const std::uint64_t end = at + length - 4;
    std::array<Range, 8> latest{};  // by section number
    Range bitmap{};                 // the last section 6 that holds one
    for (std::uint64_t section = at + 16; section != end;) {
      if (section > end || end - section < 5) fail(at, "its sections do not end where the message does");
      const Range range{section, number_at(section, at, 4)};
      const std::uint64_t number = number_at(section + 4, at, 1);
      if (number < 1 || number > 7 || range.length < 5 || range.length > end - section)
        fail(at, "at its byte " + std::to_string(section - at) + " there is no section (number " +
                     std::to_string(number) + ", " + std::to_string(range.length) + " bytes)");
      latest[number] = range;
      if (number == 6) {
        const std::uint64_t kind = range.length > 5 ? number_at(section + 5, at, 1) : 255;
        if (kind == 254 && bitmap.length > 0) latest[6] = bitmap;  // the last one in this message
        if (kind < 254) bitmap = range;
      }
      if (number == 7) found_.push_back({at, length, parts_of(latest)});
      section += range.length;
    }
    if (found_.size() == before) found_.push_back({at, length});
    if (found_.size() == before + 1) found_.back().parts.clear();
  }

  // The sections, those side by side as one.
  static std::vector<Range> parts_of(const std::array<Range, 8>& sections) {
    std::vector<Range> parts;
    for (const Range& section : sections) {
      if (section.length == 0) continue;
      if (!parts.empty() && parts.back().offset + parts.back().length == section.offset)
        parts.back().length += section.length;
      else
        parts.push_back(section);
    }
    return parts;
  }

  [[noreturn]] void fail(std::uint64_t at, const std::string& why) {
    throw UserError("corrupt or truncated GRIB message: " + why, location(path_, found_.size() + 1, at),
                    "copy or retrieve the file again");
  }

  const FileReader& file_;
  const std::string& path_;
  std::vector<Extent> found_;
  std::array<char, 1024> window_{};  // of the file, at window_at_
  std::uint64_t window_at_ = 0;
  std::size_t window_size_ = 0;
};

}  // namespace

std::vector<Extent> scan_messages(const FileReader& file, const std::string& path) { return Scanner(file, path).run(); }

std::string location(const std::string& path, std::size_t number, std::uint64_t offset) {
  return path + ", message " + std::to_string(number) + " at byte " + std::to_string(offset);
}

}  // namespace tradewind::grib
