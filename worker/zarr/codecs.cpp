#include "worker/zarr/codecs.h"

#include <blosc.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include "common/errors.h"

namespace tradewind::zarr {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& where) {
  throw UserError(what, where, "the store is damaged; fetch it again");
}

[[noreturn]] void refuse_size(const char* packing, const std::string& got, std::int64_t wanted,
                              const std::string& where) {
  refuse("the chunk, packed by " + std::string(packing) + ", unpacks to " + got + " bytes, not to the " +
             std::to_string(wanted) + " of its array",
         where);
}

Bytes room_for(std::int64_t bytes) { return Bytes(static_cast<std::size_t>(bytes)); }

Bytes unpack_blosc(const Bytes& stored, std::int64_t wanted, const std::string& where) {
  if (stored.size() < BLOSC_MIN_HEADER_LENGTH) refuse("the chunk is too short for blosc", where);
  std::size_t told = 0;
  if (blosc_cbuffer_validate(stored.data(), stored.size(), &told) < 0)
    refuse("the chunk is no whole one of blosc's", where);
  if (std::cmp_not_equal(told, wanted)) refuse_size("blosc", std::to_string(told), wanted, where);
  Bytes out = room_for(wanted);
  const int got = blosc_decompress_ctx(stored.data(), out.data(), out.size(), 1);
  if (std::cmp_not_equal(got, wanted))
    refuse("blosc cannot unpack the chunk (" + std::to_string(got) +
               "): it is damaged, or packed by a codec that this "
               "system's blosc has not",
           where);
  return out;
}

Bytes unpack_zstd(const Bytes& stored, std::int64_t wanted, const std::string& where) {
  const unsigned long long told = ZSTD_getFrameContentSize(stored.data(), stored.size());
  if (told == ZSTD_CONTENTSIZE_ERROR) refuse("the chunk is none of zstd's", where);
  if (told != ZSTD_CONTENTSIZE_UNKNOWN && std::cmp_not_equal(told, wanted))
    refuse_size("zstd", std::to_string(told), wanted, where);
  Bytes out = room_for(wanted);
  const std::size_t got = ZSTD_decompress(out.data(), out.size(), stored.data(), stored.size());
  if (ZSTD_isError(got)) refuse(std::string("zstd cannot unpack the chunk: ") + ZSTD_getErrorName(got), where);
  if (std::cmp_not_equal(got, wanted)) refuse_size("zstd", std::to_string(got), wanted, where);
  return out;
}

// zlib's own wrapping or gzip's.
Bytes unpack_zlib(const Bytes& stored, std::int64_t wanted, const std::string& where) {
  z_stream stream{};
  constexpr int either = 32;
  if (inflateInit2(&stream, MAX_WBITS + either) != Z_OK) throw EnvironmentFault("zlib could not start", where);
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);
  Bytes out = room_for(wanted);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(stored.data()));
  stream.avail_in = static_cast<uInt>(stored.size());  // both are below 4 GiB (most_packed)
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = inflate(&stream, Z_FINISH);
  if (status == Z_STREAM_END && stream.avail_out == 0) return out;
  if (status == Z_STREAM_END) refuse_size("zlib", std::to_string(stream.total_out), wanted, where);
  if (stream.avail_out == 0) refuse_size("zlib", "more than " + std::to_string(wanted), wanted, where);
  refuse("zlib cannot unpack the chunk: it is damaged or cut off", where);
}

Bytes without_checksum(Bytes stored, const std::string& where) {
  if (stored.size() < 4) refuse("the chunk is too short for its checksum", where);
  const std::span<const std::byte> content(stored.data(), stored.size() - 4);
  std::uint32_t told = 0;
  for (std::size_t i = 0; i < 4; ++i) told |= std::to_integer<std::uint32_t>(stored[content.size() + i]) << (8 * i);
  if (crc32c(content) != told) refuse("the chunk's checksum does not match its content", where);
  stored.resize(content.size());
  return stored;
}

Bytes unpack_one(Packing packing, Bytes stored, std::int64_t wanted, const std::string& where) {
  switch (packing) {
    case Packing::blosc:
      return unpack_blosc(stored, wanted, where);
    case Packing::zstd:
      return unpack_zstd(stored, wanted, where);
    case Packing::zlib:
    case Packing::gzip:
      return unpack_zlib(stored, wanted, where);
    case Packing::crc32c:
      return without_checksum(std::move(stored), where);
  }
  throw InternalFault("a packing that nobody unpacks", where);
}

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes) {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? (value >> 1) ^ 0x82F63B78U : value >> 1;
      made[i] = value;
    }
    return made;
  }();
  std::uint32_t sum = 0xFFFFFFFFU;
  for (const std::byte byte : bytes) sum = table[(sum ^ std::to_integer<std::uint32_t>(byte)) & 0xFFU] ^ (sum >> 8);
  return ~sum;
}

std::int64_t most_packed(const ChunkForm& form) { return form.bytes + form.bytes / 8 + 4096; }

Bytes unpack(Bytes stored, const ChunkForm& form, const std::string& where) {
  // The last packing but checksums is that of the elements: only there the size is known. Two on each other are rare.
  std::int64_t packed_once = 0;
  for (const Packing packing : form.packings) packed_once += packing != Packing::crc32c ? 1 : 0;
  if (packed_once > 1) refuse_array("chunks that are packed twice are not supported", where);
  // A checksum that was made before the packing is part of what comes out.
  std::int64_t wanted = form.bytes;
  for (const Packing packing : form.packings) {
    if (packing != Packing::crc32c) break;
    wanted += 4;
  }
  for (auto packing = form.packings.rbegin(); packing != form.packings.rend(); ++packing)
    stored = unpack_one(*packing, std::move(stored), wanted, where);
  if (std::cmp_not_equal(stored.size(), form.bytes))
    refuse("the chunk has " + std::to_string(stored.size()) + " bytes, its array's chunks have " +
               std::to_string(form.bytes),
           where);
  return stored;
}

}  // namespace tradewind::zarr
