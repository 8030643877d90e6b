#include "worker/npz/zip_parts.h"

namespace tradewind::npz {
namespace {

template <typename T>
void put(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>((value >> (8 * i)) & 0xff);
}

// Sizes and offset stand in the zip64 field, whatever they are: one layout, no special case above 4 GiB.
std::string zip64_extra(const ZipEntry& entry, bool with_offset) {
  std::string extra;
  put<std::uint16_t>(extra, 1);
  put<std::uint16_t>(extra, with_offset ? 24 : 16);
  put<std::uint64_t>(extra, entry.size);
  put<std::uint64_t>(extra, entry.packed);
  if (with_offset) put<std::uint64_t>(extra, entry.offset);
  return extra;
}

// What local and central header have in common: version needed to extra length.
void put_common(std::string& out, const ZipEntry& entry, std::size_t extra) {
  put<std::uint16_t>(out, 45);  // zip64
  put<std::uint16_t>(out, 0);   // flags
  put<std::uint16_t>(out, entry.deflated ? 8 : 0);
  put<std::uint32_t>(out, 0x00210000);  // 1980-01-01
  put<std::uint32_t>(out, entry.crc);
  put<std::uint32_t>(out, 0xffffffffU);
  put<std::uint32_t>(out, 0xffffffffU);
  put<std::uint16_t>(out, static_cast<std::uint16_t>(entry.name.size()));
  put<std::uint16_t>(out, static_cast<std::uint16_t>(extra));
}

}  // namespace

std::string local_header(const ZipEntry& entry) {
  const std::string extra = zip64_extra(entry, false);
  std::string out;
  put<std::uint32_t>(out, 0x04034b50);
  put_common(out, entry, extra.size());
  return out + entry.name + extra;
}

std::string central_header(const ZipEntry& entry) {
  const std::string extra = zip64_extra(entry, true);
  std::string out;
  put<std::uint32_t>(out, 0x02014b50);
  put<std::uint16_t>(out, 45);
  put_common(out, entry, extra.size());
  put<std::uint16_t>(out, 0);  // comment
  put<std::uint16_t>(out, 0);  // disk
  put<std::uint16_t>(out, 0);
  put<std::uint32_t>(out, 0);
  put<std::uint32_t>(out, 0xffffffffU);
  return out + entry.name + extra;
}

std::string end_records(std::uint64_t entries, std::uint64_t offset, std::uint64_t size) {
  std::string out;
  put<std::uint32_t>(out, 0x06064b50);  // zip64 end of central directory
  put<std::uint64_t>(out, 44);
  put<std::uint16_t>(out, 45);
  put<std::uint16_t>(out, 45);
  put<std::uint32_t>(out, 0);
  put<std::uint32_t>(out, 0);
  put<std::uint64_t>(out, entries);
  put<std::uint64_t>(out, entries);
  put<std::uint64_t>(out, size);
  put<std::uint64_t>(out, offset);
  put<std::uint32_t>(out, 0x07064b50);  // its locator
  put<std::uint32_t>(out, 0);
  put<std::uint64_t>(out, offset + size);
  put<std::uint32_t>(out, 1);
  put<std::uint32_t>(out, 0x06054b50);  // end of central directory, all in the zip64 one
  put<std::uint32_t>(out, 0);
  put<std::uint16_t>(out, 0xffff);
  put<std::uint16_t>(out, 0xffff);
  put<std::uint32_t>(out, 0xffffffffU);
  put<std::uint32_t>(out, 0xffffffffU);
  put<std::uint16_t>(out, 0);
  return out;
}

}  // namespace tradewind::npz
