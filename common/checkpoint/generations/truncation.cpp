#include "common/checkpoint/generations/truncation.h"

#include <cstring>
#include <limits>
#include <string>

#include "common/checkpoint/generations/attributes.h"
#include "common/checkpoint/generations/known.h"
#include "common/checkpoint/generations/layers.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

constexpr const char* kDamaged = "the checkpoint is damaged; export it again";

[[noreturn]] void refuse(const Node& node, const std::string& what) {
  throw UserError("a sparse matrix " + what, node.path(), kDamaged);
}

// Element `i` of a vector of indices, where it lies: a big grid has many millions.
class Indices {
 public:
  explicit Indices(const TensorDescriptor& tensor)
      : data_(tensor.data),
        stride_(tensor.strides.at(0) * static_cast<std::int64_t>(size_of(tensor.dtype))),
        wide_(tensor.dtype == ScalarType::i64) {}
  std::int64_t operator[](std::int64_t i) const { return wide_ ? at<std::int64_t>(i) : at<std::int32_t>(i); }

 private:
  template <class T>
  T at(std::int64_t i) const {
    T value;
    std::memcpy(&value, data_ + i * stride_, sizeof(T));
    return value;
  }
  const std::byte* data_;
  std::int64_t stride_;
  bool wide_;
};

std::string entry(std::int64_t row, std::int64_t column) {
  return "row " + std::to_string(row) + ", column " + std::to_string(column);
}

void require_inside(const Node& node, const SparseDescriptor& matrix, std::int64_t row, std::int64_t column) {
  if (row >= 0 && row < matrix.rows && column >= 0 && column < matrix.columns) return;
  refuse(node, "of " + std::to_string(matrix.rows) + " rows and " + std::to_string(matrix.columns) +
                   " columns with an entry at " + entry(row, column));
}

void check_coordinates(const Node& node, const SparseDescriptor& matrix) {
  const Indices rows(matrix.row_indices), columns(matrix.column_indices);
  std::int64_t last_row = -1, last_column = -1;
  for (std::int64_t i = 0; i < matrix.entries(); ++i) {
    const std::int64_t row = rows[i], column = columns[i];
    require_inside(node, matrix, row, column);
    const bool ascends = row > last_row || (row == last_row && column > last_column);
    if (matrix.coalesced && !ascends) {
      refuse(node, "that is said to be coalesced has its entry at " + entry(row, column) + " after that at " +
                       entry(last_row, last_column));
    }
    last_row = row;
    last_column = column;
  }
}

void check_compressed(const Node& node, const SparseDescriptor& matrix) {
  const Indices first(matrix.row_indices), columns(matrix.column_indices);
  if (first[0] != 0 || first[matrix.rows] != matrix.entries()) {
    refuse(node, "whose row pointers go from " + std::to_string(first[0]) + " to " +
                     std::to_string(first[matrix.rows]) + ", not from 0 to its " + std::to_string(matrix.entries()) +
                     " entries");
  }
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    if (first[row + 1] < first[row] || first[row + 1] > matrix.entries()) {
      refuse(node, "whose row pointers do not ascend at row " + std::to_string(row));
    }
    std::int64_t last = -1;
    for (std::int64_t i = first[row]; i < first[row + 1]; ++i) {
      require_inside(node, matrix, row, columns[i]);
      if (columns[i] <= last) {
        refuse(node, "with its entry at " + entry(row, columns[i]) + " after that at " + entry(row, last));
      }
      last = columns[i];
    }
  }
}

// The matrices in the order in which they are applied, either of which may be missing in old models.
TruncatedResidualDescription read_matrices(const std::vector<Node>& nodes, const ModelSizes& sizes) {
  TruncatedResidualDescription out;
  std::int64_t columns = sizes.nodes;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::int64_t rows = i + 1 == nodes.size() ? sizes.nodes : kAnySize;
    out.matrices.push_back(read_sparse_matrix(nodes[i], rows, columns));
    columns = out.matrices.back().rows;
  }
  return out;
}

}  // namespace

void refuse_autocast(const Node& projector) {
  require_class(projector, "projector", {"anemoi.models.layers.sparse_projector.SparseProjector"});
  refuse_unknown_attributes(projector);
  const Node autocast = projector.at("autocast");
  if (autocast.as_bool()) {
    throw UserError("a sparse matrix in reduced precision is not supported", autocast.path(),
                    "export a model whose projector has autocast: false");
  }
}

Node matrix_of_provider(const Node& provider) {
  require_class(provider, "provider of a projection", {"anemoi.models.layers.graph_provider.ProjectionGraphProvider"});
  refuse_unknown_attributes(provider);
  return provider.at("projection_matrix");
}

const SparseDescriptor& read_sparse_matrix(const Node& node, std::int64_t rows, std::int64_t columns) {
  const SparseDescriptor& matrix = node.as_sparse();
  if ((rows >= 0 && matrix.rows != rows) || (columns >= 0 && matrix.columns != columns)) {
    const auto wanted = [](std::int64_t size) { return size < 0 ? "any" : std::to_string(size); };
    throw UserError("a sparse matrix of " + std::to_string(matrix.rows) + " rows and " +
                        std::to_string(matrix.columns) + " columns, where " + wanted(rows) + " and " + wanted(columns) +
                        " are needed",
                    node.path(), "the checkpoint's matrices and grids do not fit each other");
  }
  if (matrix.values.dtype != ScalarType::f32) {
    throw UserError(std::string("a sparse matrix of type ") + name_of(matrix.values.dtype), node.path(),
                    "known: float32");
  }
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  // Rows and columns without entries do nothing: more of them than entries and points together make no sense.
  const bool hollow = (rows < 0 && matrix.rows > matrix.entries() + (columns < 0 ? 0 : columns)) ||
                      (columns < 0 && matrix.columns > matrix.entries() + (rows < 0 ? 0 : rows));
  if (matrix.rows < 1 || matrix.columns < 1 || matrix.rows > most || matrix.columns > most || hollow) {
    refuse(node, "of " + std::to_string(matrix.rows) + " rows and " + std::to_string(matrix.columns) +
                     " columns with " + std::to_string(matrix.entries()) + " entries");
  }
  if (matrix.layout == SparseDescriptor::Layout::compressed_rows) {
    check_compressed(node, matrix);
  } else {
    check_coordinates(node, matrix);
  }
  return matrix;
}

std::optional<TruncatedResidualDescription> find_truncation(const Node& model, const ModelSizes& sizes) {
  const auto holder = model.find("truncation");
  if (holder) {
    require_class(*holder, "truncation", {"anemoi.models.layers.truncation.BaseTruncation"});
    refuse_unknown_attributes(*holder);
  }
  std::vector<Node> matrices;
  for (const char* name : {"A_down", "A_up"}) {
    const auto matrix = holder ? std::optional(holder->at(name)) : model.find(name);
    if (matrix && !matrix->is_none()) matrices.push_back(*matrix);
  }
  if (matrices.empty()) return std::nullopt;
  return read_matrices(matrices, sizes);
}

// 0.11.0 to 0.11.2: a projector holds its matrix. Later a provider holds it, and one projector multiplies with either.
ResidualDescription read_truncated_residual(const Node& node, const ModelSizes& sizes) {
  std::vector<Node> matrices;
  const bool provided = node.has("provider_down");
  if (provided) refuse_autocast(node.at("projector"));
  for (const char* end : {"down", "up"}) {
    if (provided) {
      matrices.push_back(matrix_of_provider(node.at(std::string("provider_") + end)));
    } else {
      const Node projector = node.at(std::string("project_") + end);
      refuse_autocast(projector);
      matrices.push_back(projector.at("projection_matrix"));
    }
  }
  return read_matrices(matrices, sizes);
}

}  // namespace tradewind::checkpoint
