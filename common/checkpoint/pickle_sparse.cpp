// Sparse tensors of a pickle: their parts are tensors that have been checked by themselves; here, that they fit.
#include <limits>
#include <string>
#include <string_view>

#include "common/checkpoint/pickle_tensors.h"

namespace tradewind::checkpoint {
namespace {

using Layout = SparseDescriptor::Layout;

std::optional<Layout> layout_of(Ref value) {
  const auto* call = get<Object>(value);
  if (!call || call->name != "torch.serialization._get_layout" || call->arguments.size() != 1) return std::nullopt;
  const auto* name = get<std::string>(call->arguments[0]);
  if (name && *name == "torch.sparse_coo") return Layout::coordinates;
  if (name && *name == "torch.sparse_csr") return Layout::compressed_rows;
  return std::nullopt;
}

TensorDescriptor row_of(const TensorDescriptor& matrix, std::int64_t row) {
  TensorDescriptor out = matrix;
  out.shape = {matrix.shape[1]};
  out.strides = {matrix.strides[1]};
  if (out.data) out.data += row * matrix.strides[0] * static_cast<std::int64_t>(size_of(matrix.dtype));
  return out;
}

bool is_index(const TensorDescriptor& tensor) {
  return tensor.dtype == ScalarType::i64 || tensor.dtype == ScalarType::i32;
}

std::string shape_text(const TensorDescriptor& tensor) {
  std::string text;
  for (const std::int64_t size : tensor.shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "(" + text + ")";
}

}  // namespace

Cell* PickleTensors::sparse_tensor(const std::vector<Ref>& arguments) {
  const auto layout = arguments.size() == 2 ? layout_of(arguments[0]) : std::nullopt;
  const auto* parts = layout ? get<Tuple>(arguments[1]) : nullptr;
  if (!parts) return nullptr;
  const bool compressed = *layout == Layout::compressed_rows;
  const std::size_t at_size = compressed ? 3 : 2;
  if (parts->items.size() <= at_size) arena_.fail("a sparse tensor has too few parts");
  const auto size = sizes(parts->items[at_size], "size");
  if (size.size() != 2) return nullptr;

  const auto* first = get<TensorDescriptor>(parts->items[0]);
  const auto* second = get<TensorDescriptor>(parts->items[1]);
  const auto* values = compressed ? get<TensorDescriptor>(parts->items[2]) : second;
  if (!first || !second || !values) arena_.fail("a sparse tensor is not made of tensors");
  // Values that are vectors or blocks themselves: inert, an error only where one is used.
  if (values->shape.size() != 1) return nullptr;
  const std::int64_t entries = values->shape[0];

  SparseDescriptor matrix;
  matrix.layout = *layout;
  matrix.rows = size[0];
  matrix.columns = size[1];
  matrix.values = *values;
  const auto require = [&](const TensorDescriptor& tensor, std::vector<std::int64_t> shape, const char* what) {
    if (!is_index(tensor)) arena_.fail(std::string("a sparse tensor's ") + what + " are no integers");
    if (tensor.shape != shape) {
      arena_.fail(std::string("a sparse tensor's ") + what + " have the shape " + shape_text(tensor) +
                  ", for a size of " + std::to_string(size[0]) + " times " + std::to_string(size[1]) + " with " +
                  std::to_string(entries) + " entries");
    }
  };
  if (compressed) {
    require(*first, {size[0] == std::numeric_limits<std::int64_t>::max() ? -1 : size[0] + 1}, "row pointers");
    require(*second, {entries}, "columns");
    matrix.row_indices = *first;
    matrix.column_indices = *second;
  } else {
    require(*first, {2, entries}, "indices");
    matrix.row_indices = row_of(*first, 0);
    matrix.column_indices = row_of(*first, 1);
    const auto* coalesced = parts->items.size() > 3 ? get<bool>(parts->items[3]) : nullptr;
    matrix.coalesced = coalesced && *coalesced;
  }
  arena_.charge(sizeof(SparseDescriptor) + 6 * sizeof(std::int64_t));
  return arena_.make(Sparse{std::make_shared<SparseDescriptor>(std::move(matrix))});
}

}  // namespace tradewind::checkpoint
