#include "worker/zarr/array_info.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "common/errors.h"

namespace tradewind::zarr {

void refuse_array(const std::string& what, const std::string& where) {
  throw UserError(what, where, "the store is damaged or of a kind that is not supported; write it again");
}

const Json& member(const Json& document, const char* key, const std::string& where) {
  if (document.is_object())
    if (const auto found = document.find(key); found != document.end()) return *found;
  refuse_array(std::string("no `") + key + "`", where);
}

std::vector<std::int64_t> read_lengths(const Json& document, const char* key, std::int64_t least,
                                       const std::string& where) {
  constexpr std::size_t most_axes = 16;
  constexpr std::int64_t most = std::int64_t{1} << 40;
  const Json& list = member(document, key, where);
  const std::string named = std::string(1, '`') + key + '`';
  if (!list.is_array() || list.size() > most_axes) refuse_array(named + " must be a list of at most 16 lengths", where);
  std::vector<std::int64_t> lengths;
  double product = 1;
  for (const Json& length : list) {
    if (!length.is_number_integer() || length < least || length > most)
      refuse_array(
          named + " has a length that is no whole number from " + std::to_string(least) + " to " + std::to_string(most),
          where);
    lengths.push_back(length.get<std::int64_t>());
    product *= static_cast<double>(lengths.back());
  }
  if (product > 0x1p60) refuse_array(named + " has more elements than any store", where);
  return lengths;
}

void lay_out(ChunkForm& form, const std::vector<std::int64_t>& axes, int element_size, const std::string& where) {
  std::int64_t elements = 1;
  form.strides.assign(form.shape.size(), 0);
  for (std::size_t i = axes.size(); i-- > 0;) {
    const auto axis = static_cast<std::size_t>(axes[i]);
    form.strides[axis] = elements;
    if (form.shape[axis] > most_chunk_bytes / element_size / elements)
      refuse_array("chunks of more than " + std::to_string(most_chunk_bytes) + " bytes", where);
    elements *= form.shape[axis];
  }
  form.bytes = elements * element_size;
}

void read_fill(ArrayInfo& info, const Json& document) {
  const auto found = document.find("fill_value");
  if (found == document.end() || found->is_null()) return;
  info.has_fill = true;
  if (found->is_number()) {
    info.fill = found->get<double>();
  } else if (found->is_boolean()) {
    info.fill = found->get<bool>() ? 1 : 0;
  } else if (*found == "NaN" || *found == "NaT") {
    info.fill = std::numeric_limits<double>::quiet_NaN();
  } else if (*found == "Infinity") {
    info.fill = std::numeric_limits<double>::infinity();
  } else if (*found == "-Infinity") {
    info.fill = -std::numeric_limits<double>::infinity();
  } else {
    refuse_array("`fill_value` is not a number", info.where);
  }
}

std::string ArrayInfo::chunk_name(const std::vector<std::int64_t>& index) const {
  std::string name = default_names ? "c" : "";
  for (const std::int64_t one : index) {
    if (!name.empty()) name += separator;
    name += std::to_string(one);
  }
  return name.empty() ? "0" : name;
}

namespace {

Packing packing_2(const Json& compressor, const std::string& where) {
  const Json& id = member(compressor, "id", where);
  if (id == "blosc") return Packing::blosc;
  if (id == "zstd") return Packing::zstd;
  if (id == "zlib") return Packing::zlib;
  if (id == "gzip") return Packing::gzip;
  refuse_array("chunks are packed with " + id.dump().substr(0, 60) + "; blosc, zstd, zlib, gzip or nothing can be read",
               where);
}

}  // namespace

ArrayInfo read_array_2(const Json& document, const std::string& where) {
  ArrayInfo info;
  info.where = where;
  if (member(document, "zarr_format", where) != 2) refuse_array("`zarr_format` must be 2", where);
  info.shape = read_lengths(document, "shape", 0, where);
  info.chunk.shape = read_lengths(document, "chunks", 1, where);
  if (info.chunk.shape.size() != info.shape.size()) refuse_array("`chunks` and `shape` differ in length", where);
  const Json& type = member(document, "dtype", where);
  if (!type.is_string()) refuse_array("`dtype` must be one type of elements, such as <f4", where);
  info.type = numpy_type(type.get<std::string>(), where);
  info.chunk.swapped = info.type.swapped;
  const auto filters = document.find("filters");
  if (filters != document.end() && !filters->is_null() && !(filters->is_array() && filters->empty()))
    refuse_array("`filters` are not supported", where);
  const Json& compressor = member(document, "compressor", where);
  if (!compressor.is_null()) info.chunk.packings.push_back(packing_2(compressor, where));
  std::vector<std::int64_t> axes(info.shape.size());
  std::iota(axes.begin(), axes.end(), 0);
  const Json& order = member(document, "order", where);
  if (order == "F")
    std::reverse(axes.begin(), axes.end());
  else if (order != "C")
    refuse_array("`order` must be C or F", where);
  lay_out(info.chunk, axes, info.type.size, where);
  if (const auto separator = document.find("dimension_separator"); separator != document.end()) {
    if (*separator != "." && *separator != "/") refuse_array("`dimension_separator` must be . or /", where);
    info.separator = separator->get<std::string>()[0];
  }
  read_fill(info, document);
  return info;
}

}  // namespace tradewind::zarr
