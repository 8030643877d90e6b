// A tensor as a checkpoint stores it: a strided view of read-only mapped pages. Every extent has been checked against
// the file before one of these exists. Does not own the mapping: the Archive it came from must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tradewind::checkpoint {

enum class ScalarType { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };

std::size_t size_of(ScalarType type);
const char* name_of(ScalarType type);

struct TensorDescriptor {
  ScalarType dtype = ScalarType::f32;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  // in elements; never negative
  const std::byte* data = nullptr;    // first element; null when the tensor is empty
  std::string path;                   // its place in the tree, for errors

  std::int64_t elements() const;
  bool contiguous() const;
  bool operator==(const TensorDescriptor&) const = default;  // the same bytes seen the same way, from the same place
};

// A sparse matrix as a checkpoint stores it, entry by entry: coordinates (COO) in any order, where those of the same
// place add up, or compressed rows (CSR). That the parts have the same length has been checked, what the indices say
// has not.
struct SparseDescriptor {
  enum class Layout { coordinates, compressed_rows };
  Layout layout = Layout::coordinates;
  std::int64_t rows = 0, columns = 0;
  TensorDescriptor row_indices;     // coordinates: (entries); compressed: (rows + 1), where the entries of a row begin
  TensorDescriptor column_indices;  // (entries)
  TensorDescriptor values;          // (entries)
  bool coalesced = false;           // of coordinates: said to be ascending, by row and then by column, and none twice
  std::string path;

  std::int64_t entries() const { return values.elements(); }
  bool operator==(const SparseDescriptor&) const = default;
};

// Element access for what the description needs (indices, small statistics); any integer, bool or float type.
std::vector<std::int64_t> to_int64(const TensorDescriptor& tensor);
std::vector<double> to_double(const TensorDescriptor& tensor);

}  // namespace tradewind::checkpoint
