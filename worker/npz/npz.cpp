#include "worker/npz/npz.h"

#include <ATen/ATen.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "common/errors.h"
#include "common/files/whole_file.h"
#include "worker/npz/npy_header.h"
#include "worker/npz/zip_parts.h"

namespace tradewind::npz {
namespace {

constexpr std::uint64_t limit = std::uint64_t{1} << 36;  // bytes of one array

// .npy bytes before the values.
std::string header_of(const at::Tensor& array) {
  NpyHeader header;
  header.type = array.scalar_type() == at::kDouble ? "<f8" : "<f4";
  header.shape = array.sizes().vec();
  return make_npy_header(header);
}

std::uint32_t checksum(std::uint32_t crc, const void* bytes, std::size_t size) {
  if (size == 0) return crc;  // zlib begins anew where there are no bytes
  return static_cast<std::uint32_t>(::crc32_z(crc, static_cast<const Bytef*>(bytes), size));
}

at::ScalarType type_of(const std::string& name, const std::string& where) {
  if (name == "<f4") return at::kFloat;
  if (name == "<f8") return at::kDouble;
  if (name == "<i8") return at::kLong;
  throw UserError("values of type '" + name + "'", where, "write the array as float32 ('<f4'), float64 or int64");
}

}  // namespace

bool holds(const archive::Archive& archive, const std::string& name) { return archive.find(name + ".npy") != nullptr; }

at::Tensor read(const archive::Archive& archive, const std::string& name) {
  const std::string where = archive.path() + ": " + name;
  const archive::Entry* entry = archive.find(name + ".npy");
  if (!entry)
    throw UserError("no array '" + name + "'", archive.path(), "save it with numpy.savez(path, " + name + "=...)");
  const std::string bytes = archive.read(*entry, limit);
  const NpyHeader header = parse_npy_header(bytes, where);
  const at::ScalarType type = type_of(header.type, where);
  const std::uint64_t width = at::elementSize(type), available = bytes.size() - header.data_offset;
  std::uint64_t values = 1;
  for (const std::int64_t size : header.shape) {
    if (size != 0 && values > available / static_cast<std::uint64_t>(size)) {
      throw UserError("the array is shorter than its shape", where);
    }
    values *= static_cast<std::uint64_t>(size);
  }
  if (values * width != available) throw UserError("the array's bytes and shape do not fit each other", where);
  std::vector<std::int64_t> shape = header.shape;
  if (header.fortran_order) shape.assign(header.shape.rbegin(), header.shape.rend());
  at::Tensor array = at::empty(shape, type);
  if (available > 0) std::memcpy(array.mutable_data_ptr(), bytes.data() + header.data_offset, available);
  if (!header.fortran_order) return array;
  std::vector<std::int64_t> reversed;
  for (std::int64_t axis = array.dim(); axis > 0; --axis) reversed.push_back(axis - 1);
  return array.permute(reversed).contiguous();
}

void write(const std::string& path, const std::vector<std::pair<std::string, at::Tensor>>& arrays) {
  WholeFile file(path, {.what = "the arrays"});
  std::vector<ZipEntry> entries;
  std::uint64_t offset = 0;
  const auto append = [&](const void* bytes, std::size_t size) {
    file.write(bytes, size);
    offset += size;
  };
  for (const auto& [name, given] : arrays) {
    if (given.scalar_type() != at::kFloat && given.scalar_type() != at::kDouble) {
      throw InternalFault("an array of a type that .npz files are not written with", name);
    }
    const at::Tensor array = given.contiguous();
    const std::string header = header_of(array);
    ZipEntry entry{.name = name + ".npy", .size = header.size() + array.nbytes(), .offset = offset};
    entry.packed = entry.size;
    entry.crc = checksum(checksum(0, header.data(), header.size()), array.const_data_ptr(), array.nbytes());
    const std::string local = local_header(entry);
    append(local.data(), local.size());
    append(header.data(), header.size());
    append(array.const_data_ptr(), array.nbytes());
    entries.push_back(entry);
  }
  const std::uint64_t directory = offset;
  for (const ZipEntry& entry : entries) {
    const std::string central = central_header(entry);
    append(central.data(), central.size());
  }
  const std::string end = end_records(entries.size(), directory, offset - directory);
  append(end.data(), end.size());
  file.publish();
}

namespace {

// Raw deflate, as zip has it.
std::string deflated(const std::string& header, const void* bytes, std::size_t size, const std::string& name) {
  z_stream stream{};
  // Values of physics hardly compress better for more effort.
  if (::deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, -MAX_WBITS, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
    throw InternalFault("zlib does not start", name);
  std::string out;
  const auto feed = [&](const void* from, std::size_t count, bool last) {
    std::array<char, 1 << 16> piece{};
    const auto* next = static_cast<const Bytef*>(from);
    do {
      const std::size_t now = std::min<std::size_t>(count, std::size_t{1} << 30);
      stream.next_in = const_cast<Bytef*>(next);  // NOLINT(cppcoreguidelines-pro-type-const-cast): zlib only reads
      stream.avail_in = static_cast<uInt>(now);
      next += now;
      count -= now;
      do {
        stream.next_out = reinterpret_cast<Bytef*>(piece.data());
        stream.avail_out = static_cast<uInt>(piece.size());
        ::deflate(&stream, last && count == 0 ? Z_FINISH : Z_NO_FLUSH);
        out.append(piece.data(), piece.size() - stream.avail_out);
      } while (stream.avail_out == 0);
    } while (count > 0);
  };
  feed(header.data(), header.size(), false);
  feed(bytes, size, true);
  ::deflateEnd(&stream);
  return out;
}

PackedArray pack(const std::string& name, const NpyHeader& described, const void* bytes, std::size_t size) {
  const std::string header = make_npy_header(described);
  PackedArray array;
  array.entry = {.name = name + ".npy", .size = header.size() + size, .deflated = true};
  array.entry.crc = checksum(checksum(0, header.data(), header.size()), bytes, size);
  const std::string packed = deflated(header, bytes, size, name);
  array.entry.packed = packed.size();
  array.bytes = local_header(array.entry) + packed;
  return array;
}

}  // namespace

PackedArray pack(const std::string& name, const at::Tensor& given) {
  const at::Tensor array = given.contiguous();
  const bool wide = array.scalar_type() == at::kDouble;
  if (!wide && array.scalar_type() != at::kFloat)
    throw InternalFault("an array of a type that .npz files are not written with", name);
  return pack(name, {.type = wide ? "<f8" : "<f4", .shape = array.sizes().vec()}, array.const_data_ptr(),
              array.nbytes());
}

PackedArray pack_text(const std::string& name, const std::string& ascii) {
  std::string wide;  // four bytes a letter, little-endian
  for (const char letter : ascii) wide += {letter, '\0', '\0', '\0'};
  return pack(name, {.type = "<U" + std::to_string(ascii.size())}, wide.data(), wide.size());
}

std::string directory_of(const std::vector<ZipEntry>& entries) {
  std::string bytes;
  std::uint64_t offset = 0;
  for (ZipEntry entry : entries) {
    entry.offset = offset;
    offset += local_header(entry).size() + entry.packed;
    bytes += central_header(entry);
  }
  return bytes + end_records(entries.size(), offset, bytes.size());
}

}  // namespace tradewind::npz
