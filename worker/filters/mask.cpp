#include "worker/filters/mask.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/checkpoint/checkpoint.h"
#include "common/errors.h"
#include "worker/npz/npy_header.h"

namespace tradewind::filters {
namespace {

constexpr const char* remedy = "save it with numpy.save(path, mask) as booleans, one for each point";

npz::NpyHeader header_of(const std::string& bytes, const std::string& path) {
  try {
    return npz::parse_npy_header(bytes, path);
  } catch (const UserError& error) {
    throw UserError("the mask cannot be read: " + error.message(), error.where(), remedy);
  }
}

std::vector<bool> read_file(const std::string& path) {
  constexpr std::uint64_t most = std::uint64_t{1} << 33;  // more points than any grid has
  std::error_code error;
  if (std::filesystem::file_size(path, error) > most || error)
    throw UserError("the mask cannot be read: " + (error ? error.message() : "it is too large"), path, remedy);
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file) throw EnvironmentFault("cannot read the mask", path);
  const npz::NpyHeader header = header_of(bytes, path);
  const std::size_t values = bytes.size() - header.data_offset;
  if (header.type != "|b1" || header.shape.size() != 1)
    throw UserError("the mask is not a list of booleans (type '" + header.type + "', " +
                        std::to_string(header.shape.size()) + " dimensions)",
                    path, remedy);
  if (static_cast<std::uint64_t>(header.shape.front()) != values)
    throw UserError("the mask's bytes and shape do not fit each other", path, remedy);
  std::vector<bool> mask(values);
  for (std::size_t i = 0; i < values; ++i) mask[i] = bytes[header.data_offset + i] != 0;
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

}  // namespace tradewind::filters
