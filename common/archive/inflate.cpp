#include "common/archive/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "common/errors.h"

namespace tradewind::archive {
namespace {

constexpr std::size_t most_in = std::size_t{1} << 30;     // zlib counts in unsigned int
constexpr std::size_t piece_out = std::size_t{64} << 10;  // what comes out stays in the cache of a core

Bytef* bytes_of(const std::byte* from) { return reinterpret_cast<Bytef*>(const_cast<std::byte*>(from)); }

// Gives `take` each piece as it comes.
template <typename Take>
void inflate_pieces(std::span<const std::byte> in, std::uint64_t size, std::uint32_t crc, const std::string& where,
                    const Take& take) {
  const auto fail = [&](const char* what) { throw UserError(what, where, "fetch the file again"); };
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw EnvironmentFault("zlib could not start", where);
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);

  std::vector<Bytef> piece(piece_out);
  std::size_t taken = 0;
  std::uint64_t filled = 0;
  uLong sum = ::crc32_z(0, nullptr, 0);
  for (int status = Z_OK; status != Z_STREAM_END;) {
    stream.next_in = bytes_of(in.data() + taken);
    stream.next_out = piece.data();
    const uInt in_given = stream.avail_in = static_cast<uInt>(std::min(in.size() - taken, most_in));
    stream.avail_out = static_cast<uInt>(piece.size());
    status = inflate(&stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END) fail("the compressed entry is damaged");
    taken += in_given - stream.avail_in;
    const std::size_t came = piece.size() - stream.avail_out;
    filled += came;
    if (filled > size) fail("the compressed entry is larger than it says");
    sum = ::crc32_z(sum, piece.data(), came);
    take(std::span<const Bytef>(piece.data(), came));
  }
  if (filled != size) fail("the compressed entry is smaller than it says");
  if (sum != crc) fail("the compressed entry's checksum does not match its content");
}

}  // namespace

std::string inflate_raw(std::span<const std::byte> in, std::uint64_t size, std::uint32_t crc,
                        const std::string& where) {
  std::string out;
  inflate_pieces(in, size, crc, where, [&out](std::span<const Bytef> piece) {
    out.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return out;
}

void check_raw(std::span<const std::byte> in, std::uint64_t size, std::uint32_t crc, const std::string& where) {
  inflate_pieces(in, size, crc, where, [](std::span<const Bytef>) {});
}

}  // namespace tradewind::archive
