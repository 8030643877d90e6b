#include "worker/npz/npy_header.h"

#include <charconv>
#include <sstream>

#include "common/errors.h"

namespace tradewind::npz {
namespace {

constexpr std::string_view magic = "\x93NUMPY";

[[noreturn]] void refuse(const std::string& what, const std::string& where) {
  throw UserError(what, where, "write the array with numpy.savez as float32");
}

// What follows 'key': in the dict.
std::string_view value_of(std::string_view dict, std::string_view key, const std::string& where) {
  std::string quoted(1, '\'');
  quoted.append(key).push_back('\'');
  std::size_t at = dict.find(quoted);
  if (at == std::string_view::npos) refuse("the array's header has no " + quoted, where);
  at = dict.find(':', at + quoted.size());
  if (at == std::string_view::npos) refuse("the array's header is cut short", where);
  at = dict.find_first_not_of(' ', at + 1);
  return at == std::string_view::npos ? std::string_view{} : dict.substr(at);
}

std::vector<std::int64_t> parse_shape(std::string_view text, const std::string& where) {
  const std::size_t close = text.find(')');
  if (text.empty() || text.front() != '(' || close == std::string_view::npos) refuse("the array has no shape", where);
  std::vector<std::int64_t> shape;
  const char* at = text.data() + 1;
  const char* end = text.data() + close;
  while (at < end) {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    std::int64_t size = 0;
    const auto [next, error] = std::from_chars(at, end, size);
    if (error != std::errc() || size < 0) refuse("the array's shape is no list of sizes", where);
    shape.push_back(size);
    at = next;
  }
  return shape;
}

}  // namespace

NpyHeader parse_npy_header(std::string_view bytes, const std::string& where) {
  if (bytes.size() < 10 || bytes.substr(0, magic.size()) != magic) refuse("not a NumPy array", where);
  const int version = static_cast<unsigned char>(bytes[6]);
  const std::size_t width = version == 1 ? 2 : 4;
  if (version < 1 || version > 3 || bytes.size() < 8 + width) refuse("a NumPy array of unknown format version", where);
  std::size_t length = 0;
  for (std::size_t i = 0; i < width; ++i) length |= std::size_t{static_cast<unsigned char>(bytes[8 + i])} << (8 * i);
  NpyHeader header;
  header.data_offset = 8 + width + length;
  if (header.data_offset > bytes.size()) refuse("the array's header is cut short", where);
  const std::string_view dict = bytes.substr(8 + width, length);
  const std::string_view type = value_of(dict, "descr", where);
  if (type.empty() || type.front() != '\'') refuse("an array of records is not supported", where);
  header.type = type.substr(1, type.find('\'', 1) - 1);
  header.fortran_order = value_of(dict, "fortran_order", where).substr(0, 4) == "True";
  header.shape = parse_shape(value_of(dict, "shape", where), where);
  return header;
}

std::string make_npy_header(const NpyHeader& header) {
  std::ostringstream dict;
  dict << "{'descr': '" << header.type << "', 'fortran_order': " << (header.fortran_order ? "True" : "False")
       << ", 'shape': (";
  for (const std::int64_t size : header.shape) dict << size << ", ";
  dict << "), }";
  const std::size_t before = magic.size() + 4, written = dict.str().size();
  dict << std::string(63 - (before + written) % 64, ' ') << '\n';
  const std::string text = dict.str();
  std::ostringstream bytes;
  bytes << magic << '\x01' << '\x00' << static_cast<char>(text.size() & 0xff) << static_cast<char>(text.size() >> 8)
        << text;
  return bytes.str();
}

}  // namespace tradewind::npz
