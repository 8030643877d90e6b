#include "tests/golden/npz.h"

#include <cstring>
#include <regex>

#include "common/errors.h"

namespace tradewind::golden {
namespace {

constexpr std::uint64_t largest_array = 1ull << 30;

struct Array {
  std::string type;  // "<f4", "<U5"
  std::vector<std::int64_t> shape;
  std::string payload;
  std::string where;
};

std::int64_t count(const std::vector<std::int64_t>& shape) {
  std::int64_t n = 1;
  for (const std::int64_t extent : shape) n *= extent;
  return n;
}

// The .npy format: magic, version, length of the header, a Python dict as text, the values.
Array read_array(const checkpoint::Archive& npz, const std::string& name) {
  const std::string where = npz.path() + ": " + name;
  const checkpoint::ArchiveEntry* entry = npz.find(name + ".npy");
  if (entry == nullptr) throw UserError("no such array", where);
  std::string bytes = npz.read(*entry, largest_array);
  if (bytes.size() < 12 || bytes.compare(0, 6, "\x93NUMPY") != 0) throw UserError("not an .npy array", where);
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
  const bool wide = byte(6) >= 2;
  const std::size_t begin = wide ? 12 : 10;
  const std::size_t length = byte(8) | byte(9) << 8 | (wide ? byte(10) << 16 | byte(11) << 24 : 0);
  if (length > bytes.size() - begin) throw UserError("truncated header", where);
  const std::string header = bytes.substr(begin, length);

  static const std::regex pattern(R"('descr': '([^']*)', 'fortran_order': (True|False), 'shape': \(([0-9, ]*)\))");
  std::smatch found;
  if (!std::regex_search(header, found, pattern)) throw UserError("unreadable header: " + header, where);
  if (found[2] == "True") throw UserError("an array in C order wanted", where);
  Array array{found[1], {}, bytes.substr(begin + length), where};
  static const std::regex number("[0-9]+");
  const std::string extents = found[3];
  for (std::sregex_iterator i(extents.begin(), extents.end(), number), end; i != end; ++i)
    array.shape.push_back(std::stoll(i->str()));
  return array;
}

}  // namespace

bool has_array(const checkpoint::Archive& npz, const std::string& name) { return npz.find(name + ".npy") != nullptr; }

FloatArray read_floats(const checkpoint::Archive& npz, const std::string& name) {
  const Array array = read_array(npz, name);
  if (array.type != "<f4") throw UserError("float32 wanted, found " + array.type, array.where);
  std::vector<float> values(static_cast<std::size_t>(count(array.shape)));
  if (array.payload.size() != values.size() * sizeof(float)) throw UserError("truncated values", array.where);
  std::memcpy(values.data(), array.payload.data(), array.payload.size());
  return {array.shape, std::move(values)};
}

std::vector<std::string> read_names(const checkpoint::Archive& npz, const std::string& name) {
  const Array array = read_array(npz, name);
  if (!array.type.starts_with("<U") || array.shape.size() != 1) throw UserError("a list of names wanted", array.where);
  const std::size_t width = std::stoul(array.type.substr(2)), names = static_cast<std::size_t>(array.shape[0]);
  if (array.payload.size() != names * width * 4) throw UserError("truncated values", array.where);
  std::vector<std::string> result(names);
  for (std::size_t i = 0; i < names * width; ++i)  // UTF-32; names of variables are ASCII
    if (const char c = array.payload[4 * i]; c != '\0') result[i / width] += c;
  return result;
}

}  // namespace tradewind::golden
