#include "common/checkpoint/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <memory>

#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

// zlib counts in unsigned int: larger buffers are handed over in pieces.
constexpr std::size_t piece = std::size_t{1} << 30, first_room = std::size_t{1} << 20;

uInt next_piece(std::size_t left) { return static_cast<uInt>(std::min(left, piece)); }

Bytef* bytes_of(const std::byte* from) { return reinterpret_cast<Bytef*>(const_cast<std::byte*>(from)); }

std::uint32_t checksum(const std::string& content) {
  return static_cast<std::uint32_t>(
      ::crc32_z(::crc32(0, nullptr, 0), reinterpret_cast<const Bytef*>(content.data()), content.size()));
}

}  // namespace

std::string inflate_raw(std::span<const std::byte> in, std::uint64_t size, std::uint32_t crc,
                        const std::string& where) {
  const auto fail = [&](const char* what) { throw UserError(what, where, "fetch the file again"); };
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw EnvironmentFault("zlib could not start", where);
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);

  std::string out;
  std::size_t filled = 0, taken = 0;
  int status = Z_OK;
  while (status == Z_OK && filled < size) {
    if (filled == out.size()) out.resize(std::min<std::size_t>(size, std::max(first_room, 2 * filled)));
    stream.next_in = bytes_of(in.data() + taken);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
    const uInt in_given = stream.avail_in = next_piece(in.size() - taken);
    const uInt out_given = stream.avail_out = next_piece(out.size() - filled);
    status = inflate(&stream, Z_NO_FLUSH);
    taken += in_given - stream.avail_in;
    filled += out_given - stream.avail_out;
  }
  if (status == Z_OK) {  // all bytes are there; only the end mark may follow
    Bytef none{};
    stream.next_in = bytes_of(in.data() + taken);
    stream.avail_in = next_piece(in.size() - taken);
    stream.next_out = &none;  // zlib wants a pointer even where nothing is to be written
    stream.avail_out = 1;
    status = inflate(&stream, Z_FINISH);
    if (stream.avail_out == 0) fail("the compressed entry is larger than it says");
  }
  if (status != Z_STREAM_END) fail("the compressed entry is damaged");
  if (filled != size) fail("the compressed entry is smaller than it says");
  if (checksum(out) != crc) fail("the compressed entry's checksum does not match its content");
  return out;
}

}  // namespace tradewind::checkpoint
