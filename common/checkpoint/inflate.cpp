#include "common/checkpoint/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <memory>

#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

// zlib counts in unsigned int: larger buffers are handed over in pieces.
constexpr std::size_t piece = std::size_t{1} << 30;

uInt next_piece(std::size_t left) { return static_cast<uInt>(std::min(left, piece)); }

}  // namespace

void inflate_raw(std::span<const std::byte> in, std::span<std::byte> out, std::uint32_t crc, const std::string& where) {
  const auto fail = [&](const char* what) { throw UserError(what, where, "fetch the file again"); };
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw EnvironmentFault("zlib could not start", where);
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);

  std::byte none{};  // zlib wants a pointer even where nothing is to be written
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
  stream.next_out = reinterpret_cast<Bytef*>(out.empty() ? &none : out.data());
  std::size_t in_left = in.size(), out_left = out.size();
  int status = Z_OK;
  while (status == Z_OK) {
    const uInt in_given = next_piece(in_left), out_given = next_piece(out_left);
    stream.avail_in = in_given;
    stream.avail_out = out_given;
    status = inflate(&stream, Z_NO_FLUSH);
    in_left -= in_given - stream.avail_in;
    out_left -= out_given - stream.avail_out;
    if (status == Z_OK && out_left == 0) {
      // All bytes are there; only the end mark may follow.
      stream.avail_in = next_piece(in_left);
      stream.next_out = reinterpret_cast<Bytef*>(&none);
      stream.avail_out = 1;
      status = inflate(&stream, Z_FINISH);
      if (stream.avail_out == 0) fail("the compressed entry is larger than it says");
      break;
    }
  }
  if (status != Z_STREAM_END) fail("the compressed entry is damaged");
  if (out_left != 0) fail("the compressed entry is smaller than it says");

  uLong sum = ::crc32(0, nullptr, 0);
  for (std::size_t at = 0; at < out.size(); at += piece)
    sum = ::crc32(sum, reinterpret_cast<const Bytef*>(out.data() + at), next_piece(out.size() - at));
  if (sum != crc) fail("the compressed entry's checksum does not match its content");
}

}  // namespace tradewind::checkpoint
