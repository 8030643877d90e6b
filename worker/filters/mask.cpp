#include "worker/filters/mask.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/checkpoint/checkpoint.h"
#include "common/errors.h"
#include "worker/npz/npy_header.h"

namespace tradewind::filters {
namespace {

constexpr const char* remedy = "save it with numpy.save(path, mask), one value for each point";

struct Numpy {
  npz::NpyHeader header;
  std::string bytes;
  std::uint64_t count = 0;  // of values
};

npz::NpyHeader header_of(const std::string& bytes, const std::string& path) {
  try {
    return npz::parse_npy_header(bytes, path);
  } catch (const UserError& error) {
    throw UserError("the mask cannot be read: " + error.message(), error.where(), remedy);
  }
}

Numpy read_array(const std::string& path) {
  constexpr std::uint64_t most = std::uint64_t{1} << 35;  // more than any grid has
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(path, error);
  if (error) throw UserError("the mask cannot be read: " + error.message(), path, "check the path");
  if (size > most) throw UserError("the mask is too large", path, remedy);
  std::ifstream file(path, std::ios::binary);
  Numpy array;
  array.bytes.assign(std::istreambuf_iterator<char>(file), {});
  if (!file) throw EnvironmentFault("cannot read the mask", path);
  array.header = header_of(array.bytes, path);
  array.count = 1;
  for (const std::int64_t extent : array.header.shape)
    if (__builtin_mul_overflow(array.count, static_cast<std::uint64_t>(extent), &array.count))
      throw UserError("the mask's bytes and shape do not fit each other", path, remedy);
  return array;
}

template <typename T>
std::vector<double> numbers(const Numpy& array, const std::string& path) {
  const std::size_t available = array.bytes.size() - array.header.data_offset;
  if (available % sizeof(T) != 0 || available / sizeof(T) != array.count)
    throw UserError("the mask's bytes and shape do not fit each other", path, remedy);
  std::vector<double> values(array.count);
  for (std::size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, array.bytes.data() + array.header.data_offset + i * sizeof(T), sizeof(T));
    values[i] = static_cast<double>(value);
  }
  return values;
}

std::vector<bool> read_file(const std::string& path) {
  const Numpy array = read_array(path);
  if (array.header.type != "|b1" || array.header.shape.size() != 1)
    throw UserError("the mask is not a list of booleans (type '" + array.header.type + "', " +
                        std::to_string(array.header.shape.size()) + " dimensions)",
                    path, remedy);
  std::vector<bool> mask;
  for (const double value : numbers<std::uint8_t>(array, path)) mask.push_back(value != 0);
  return mask;
}

}  // namespace

std::vector<bool> read_mask(const std::string& mask, const FilterContext& context, const config::Origin& at) {
  std::error_code error;
  if (std::filesystem::is_regular_file(mask, error)) return read_file(mask);
  const auto array = context.metadata.arrays.find(mask);
  if (array == context.metadata.arrays.end() || context.archive == nullptr)
    throw UserError("the mask '" + mask + "' is neither a file nor an array of the checkpoint", at.where,
                    "`tradewind inspect CHECKPOINT` lists the arrays; paths are relative to the current folder");
  if (array->second.dtype != "bool" || array->second.shape.size() != 1)
    throw UserError("the checkpoint's array " + mask + " is not a list of booleans", at.where,
                    "use another mask, or a .npy file");
  std::vector<bool> values;
  for (const double value :
       checkpoint::read_array(*context.archive, context.metadata, mask, array->second.shape.front()))
    values.push_back(value != 0);
  return values;
}

NumpyField read_numpy(const std::string& path) {
  const Numpy array = read_array(path);
  const std::string& type = array.header.type;
  if (array.header.fortran_order && array.header.shape.size() > 1)
    throw UserError("the mask is in Fortran order", path,
                    "save it with numpy.save(path, numpy.ascontiguousarray(mask))");
  if (type == "<f4") return {numbers<float>(array, path), true};
  if (type == "<f8") return {numbers<double>(array, path), false};
  if (type == "|b1" || type == "|u1") return {numbers<std::uint8_t>(array, path), false};
  if (type == "|i1") return {numbers<std::int8_t>(array, path), false};
  if (type == "<i4") return {numbers<std::int32_t>(array, path), false};
  if (type == "<i8") return {numbers<std::int64_t>(array, path), false};
  throw UserError("the mask has values of type '" + type + "'", path, "save it as float32, integers or booleans");
}

}  // namespace tradewind::filters
