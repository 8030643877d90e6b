#include "worker/npz/npz.h"

#include <ATen/ATen.h>
#include <zlib.h>

#include <cstring>

#include "common/errors.h"
#include "common/files/whole_file.h"
#include "worker/npz/npy_header.h"

namespace tradewind::npz {
namespace {

constexpr std::uint64_t limit = std::uint64_t{1} << 36;  // bytes of one array

template <typename T>
void put(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>((value >> (8 * i)) & 0xff);
}

struct Entry {
  std::string name;
  std::uint32_t crc = 0;
  std::uint64_t size = 0, offset = 0;
};

// Sizes and offset stand in the zip64 field, whatever they are: one layout, no special case above 4 GiB.
std::string zip64_extra(const Entry& entry, bool with_offset) {
  std::string extra;
  put<std::uint16_t>(extra, 1);
  put<std::uint16_t>(extra, with_offset ? 24 : 16);
  put<std::uint64_t>(extra, entry.size);
  put<std::uint64_t>(extra, entry.size);
  if (with_offset) put<std::uint64_t>(extra, entry.offset);
  return extra;
}

// What local and central header have in common: version needed to extra length.
void put_common(std::string& out, const Entry& entry, std::size_t extra) {
  put<std::uint16_t>(out, 45);          // zip64
  put<std::uint16_t>(out, 0);           // flags
  put<std::uint16_t>(out, 0);           // stored
  put<std::uint32_t>(out, 0x00210000);  // 1980-01-01
  put<std::uint32_t>(out, entry.crc);
  put<std::uint32_t>(out, 0xffffffffU);
  put<std::uint32_t>(out, 0xffffffffU);
  put<std::uint16_t>(out, static_cast<std::uint16_t>(entry.name.size()));
  put<std::uint16_t>(out, static_cast<std::uint16_t>(extra));
}

std::string local_header(const Entry& entry) {
  const std::string extra = zip64_extra(entry, false);
  std::string out;
  put<std::uint32_t>(out, 0x04034b50);
  put_common(out, entry, extra.size());
  return out + entry.name + extra;
}

std::string central_header(const Entry& entry) {
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

// .npy bytes before the values.
std::string header_of(const at::Tensor& array) {
  NpyHeader header;
  header.type = array.scalar_type() == at::kDouble ? "<f8" : "<f4";
  header.shape = array.sizes().vec();
  return make_npy_header(header);
}

std::uint32_t checksum(std::uint32_t crc, const void* bytes, std::size_t size) {
  return static_cast<std::uint32_t>(::crc32_z(crc, static_cast<const Bytef*>(bytes), size));
}

}  // namespace

at::Tensor read(const checkpoint::Archive& archive, const std::string& name) {
  const std::string where = archive.path() + ": " + name;
  const checkpoint::ArchiveEntry* entry = archive.find(name + ".npy");
  if (!entry)
    throw UserError("no array '" + name + "'", archive.path(), "save it with numpy.savez(path, " + name + "=...)");
  const std::string bytes = archive.read(*entry, limit);
  const NpyHeader header = parse_npy_header(bytes, where);
  const bool wide = header.type == "<f8";
  if (!wide && header.type != "<f4") {
    throw UserError("values of type '" + header.type + "'", where, "write the array as float32 ('<f4') or float64");
  }
  const std::uint64_t width = wide ? 8 : 4, available = bytes.size() - header.data_offset;
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
  at::Tensor array = at::empty(shape, wide ? at::kDouble : at::kFloat);
  if (available > 0) std::memcpy(array.mutable_data_ptr(), bytes.data() + header.data_offset, available);
  if (!header.fortran_order) return array;
  std::vector<std::int64_t> reversed;
  for (std::int64_t axis = array.dim(); axis > 0; --axis) reversed.push_back(axis - 1);
  return array.permute(reversed).contiguous();
}

void write(const std::string& path, const std::vector<std::pair<std::string, at::Tensor>>& arrays) {
  WholeFile file(path, {.what = "the arrays"});
  std::vector<Entry> entries;
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
    Entry entry{name + ".npy", 0, header.size() + array.nbytes(), offset};
    entry.crc = checksum(checksum(0, header.data(), header.size()), array.const_data_ptr(), array.nbytes());
    const std::string local = local_header(entry);
    append(local.data(), local.size());
    append(header.data(), header.size());
    append(array.const_data_ptr(), array.nbytes());
    entries.push_back(entry);
  }
  const std::uint64_t directory = offset;
  for (const Entry& entry : entries) {
    const std::string central = central_header(entry);
    append(central.data(), central.size());
  }
  const std::string end = end_records(entries.size(), directory, offset - directory);
  append(end.data(), end.size());
  file.publish();
}

}  // namespace tradewind::npz
