// Writes small zip files, right ones and wrong ones, for tests of the archive.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace tradewind::checkpoint {

// `value` as `bytes` little-endian bytes.
inline std::string little(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(i < 8 ? value >> (8 * i) : 0));
  return text;
}

inline std::string joined(std::initializer_list<std::string> parts) {
  std::string whole;
  for (const std::string& part : parts) whole += part;
  return whole;
}

struct ZipEntry {
  std::string name, content;
  bool deflated = false;
  bool descriptor = false;  // sizes only in the directory and after the data, as torch writes them
  bool zip64 = false;       // sizes and offset in the extra field
  std::uint16_t flags = 0, method_added = 0;
  std::uint32_t crc_error = 0;                                      // exclusive-ored into the checksum
  std::int64_t size_error = 0, stored_error = 0, offset_error = 0;  // added to what the directory says
  std::string local_name;                                           // when other than `name`
};

struct ZipEnd {
  bool zip64 = false;
  std::int64_t count_error = 0, offset_error = 0, size_error = 0;
  std::string comment;
};

inline std::string deflate_raw(const std::string& content) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

inline std::string zip_of(const std::vector<ZipEntry>& entries, const ZipEnd& end = {}) {
  constexpr std::uint64_t saturated = 0xffffffff;
  std::string file, directory;
  for (const ZipEntry& entry : entries) {
    const std::string payload = entry.deflated ? deflate_raw(entry.content) : entry.content;
    const auto crc = static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(entry.content.data()), static_cast<uInt>(entry.content.size())));
    const std::string flags = little(entry.flags | (entry.descriptor ? 8 : 0), 2);
    const std::string method = little((entry.deflated ? 8 : 0) + entry.method_added, 2);
    const std::string check = little(crc ^ entry.crc_error, 4);
    const std::uint64_t stored = payload.size() + entry.stored_error, size = entry.content.size() + entry.size_error,
                        offset = file.size() + entry.offset_error;
    const std::string& local_name = entry.local_name.empty() ? entry.name : entry.local_name;

    directory += joined({"PK\1\2", little(45, 2), little(45, 2), flags, method, little(0, 4), check});
    directory += entry.zip64 ? little(saturated, 4) + little(saturated, 4) : little(stored, 4) + little(size, 4);
    directory += joined({little(entry.name.size(), 2), little(entry.zip64 ? 28 : 0, 2), little(0, 10),
                         little(entry.zip64 ? saturated : offset, 4), entry.name});
    if (entry.zip64)
      directory += joined({little(1, 2), little(24, 2), little(size, 8), little(stored, 8), little(offset, 8)});

    file += joined({"PK\3\4", little(45, 2), flags, method, little(0, 4)});
    file += entry.descriptor ? little(0, 12) : check + little(payload.size(), 4) + little(entry.content.size(), 4);
    file += joined({little(local_name.size(), 2), little(0, 2), local_name, payload});
    if (entry.descriptor)
      file += joined({"PK\7\10", check, little(payload.size(), 4), little(entry.content.size(), 4)});
  }
  const std::uint64_t offset = file.size() + end.offset_error, size = directory.size() + end.size_error,
                      count = entries.size() + end.count_error;
  file += directory;
  if (end.zip64) {
    const std::uint64_t end64 = file.size();
    file += joined({"PK\6\6", little(44, 8), little(45, 2), little(45, 2), little(0, 8), little(count, 8),
                    little(count, 8), little(size, 8), little(offset, 8)});
    file += joined({"PK\6\7", little(0, 4), little(end64, 8), little(1, 4)});
  }
  const std::string shown_count = little(end.zip64 ? 0xffff : count, 2);
  file += joined({"PK\5\6", little(0, 4), shown_count, shown_count});
  file += little(end.zip64 ? saturated : size, 4) + little(end.zip64 ? saturated : offset, 4);
  return file + little(end.comment.size(), 2) + end.comment;
}

}  // namespace tradewind::checkpoint
