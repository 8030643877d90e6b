// Sparse tensors of a pickle: both layouts, and every way in which their parts can fail to fit each other or the file.
#include <doctest/doctest.h>

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "common/checkpoint/generations/layers.h"
#include "common/checkpoint/generations/truncation.h"
#include "common/errors.h"
#include "tests/unit/checkpoint/pickle_builder.h"

namespace tradewind::checkpoint {
namespace {

using Longs = std::vector<std::int64_t>;

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  std::string out(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(out.data(), values.data(), out.size());
  return out;
}

// One matrix as torch writes it. Storages: "0" the first indices, "1" the columns of compressed rows, "2" the values.
struct Matrix {
  bool compressed = false;
  Longs first, columns;
  std::vector<float> values;
  Longs size;
  std::optional<bool> coalesced;
  std::string layout, values_class = "FloatStorage";
  std::int64_t claimed = -1;  // elements of the first storage, when other than it has
  Longs first_shape;          // when other than right
  bool torch_size = false, parameter = false;

  std::string pickle() const {
    const auto vector = [](const std::string& kind, const char* key, std::int64_t count) {
      return ops::tensor(ops::storage(kind, key, count), 0, ops::integer(count), ops::integer(1));
    };
    const auto count = [](const auto& all) { return static_cast<std::int64_t>(all.size()); };
    const std::int64_t stored = claimed >= 0 ? claimed : count(first);
    std::string shape, strides, sizes;
    std::int64_t step = 1;
    for (const std::int64_t each : size) sizes += ops::integer(each);
    Longs dimensions = first_shape;
    if (dimensions.empty()) dimensions = compressed ? Longs{stored} : Longs{2, stored / 2};
    for (const std::int64_t each : dimensions) shape += ops::integer(each);
    for (auto each = dimensions.rbegin(); each != dimensions.rend(); step *= *each++) {
      strides = ops::integer(step) + strides;
    }
    std::string size_text = ops::tuple(sizes);
    if (torch_size) size_text = ops::call(ops::global("torch", "Size"), size_text);
    std::string parts = ops::tensor(ops::storage("LongStorage", "0", stored), 0, shape, strides);
    if (compressed) parts += vector("LongStorage", "1", count(columns));
    parts += vector(values_class, "2", count(values) * 4 / (values_class == "DoubleStorage" ? 8 : 4)) + size_text;
    if (coalesced) parts += *coalesced ? "\x88" : "\x89";
    const std::string name = !layout.empty() ? layout : compressed ? "torch.sparse_csr" : "torch.sparse_coo";
    const std::string made =
        ops::call(ops::global("torch._utils", "_rebuild_sparse_tensor"),
                  ops::call(ops::global("torch.serialization", "_get_layout"), ops::text(name)) + ops::tuple(parts));
    if (!parameter) return ops::begin() + made + ".";
    return ops::begin() +
           ops::call(ops::global("torch._utils", "_rebuild_parameter"),
                     made + "\x89" + ops::call(ops::global("collections", "OrderedDict"), "")) +
           ".";
  }
  std::shared_ptr<const Tree> tree() const {
    const std::vector<ZipEntry> entries = {{"a/data.pkl", pickle()},
                                           {"a/data/0", bytes_of(first)},
                                           {"a/data/1", bytes_of(columns)},
                                           {"a/data/2", bytes_of(values)}};
    return Tree::read(archive::Archive::from_bytes(zip_of(entries), "made.ckpt"));
  }
};

// [[0, 1, 2], [3, 0, 0]]
Matrix coordinates() {
  Matrix out;
  out.first = {0, 0, 1, 1, 2, 0};
  out.values = {1, 2, 3};
  out.size = {2, 3};
  out.coalesced = true;
  return out;
}
Matrix compressed() {
  Matrix out;
  out.compressed = true;
  out.first = {0, 2, 3};
  out.columns = {1, 2, 0};
  out.values = {1, 2, 3};
  out.size = {2, 3};
  return out;
}

// What reading the pickle, and then the matrix, ends with; empty when both are accepted.
std::string refusal(const Matrix& matrix, std::int64_t rows = kAnySize, std::int64_t columns = kAnySize) {
  try {
    const auto tree = matrix.tree();
    (void)read_sparse_matrix(tree->root(), rows, columns);
  } catch (const UserError& error) {
    return std::string(error.what()) + " @ " + error.where();
  }
  return {};
}

bool says(const Matrix& matrix, const std::string& part) {
  const std::string message = refusal(matrix);
  CAPTURE(message);
  CAPTURE(part);
  return message.find(part) != std::string::npos;
}

template <class Change>
Matrix with(Matrix matrix, const Change& change) {
  change(matrix);
  return matrix;
}

}  // namespace

TEST_CASE("sparse matrices of both layouts") {
  for (const bool torch_size : {false, true}) {
    for (const bool parameter : {false, true}) {
      Matrix made = coordinates();
      made.torch_size = torch_size;
      made.parameter = parameter;
      const auto tree = made.tree();
      const SparseDescriptor& matrix = read_sparse_matrix(tree->root(), 2, 3);
      CHECK(matrix.layout == SparseDescriptor::Layout::coordinates);
      CHECK(matrix.rows == 2);
      CHECK(matrix.columns == 3);
      CHECK(matrix.entries() == 3);
      CHECK(matrix.coalesced);
      CHECK(to_int64(matrix.row_indices) == Longs{0, 0, 1});
      CHECK(to_int64(matrix.column_indices) == Longs{1, 2, 0});
      CHECK(to_double(matrix.values) == std::vector<double>{1, 2, 3});
    }
  }
  const auto tree = compressed().tree();
  const SparseDescriptor& matrix = read_sparse_matrix(tree->root(), kAnySize, 3);
  CHECK(matrix.layout == SparseDescriptor::Layout::compressed_rows);
  CHECK(to_int64(matrix.row_indices) == Longs{0, 2, 3});
  CHECK(to_int64(matrix.column_indices) == Longs{1, 2, 0});
}

TEST_CASE("coordinates may come in any order and more than once, unless they are said to be coalesced") {
  for (const Longs& indices : {Longs{1, 0, 0, 0, 1, 2}, Longs{0, 0, 1, 2, 1, 0}, Longs{0, 0, 1, 1, 1, 0}}) {
    for (const std::optional<bool> coalesced : {std::optional<bool>(), std::optional(false), std::optional(true)}) {
      Matrix matrix = coordinates();
      matrix.first = indices;
      matrix.coalesced = coalesced;
      CHECK(refusal(matrix).empty() == (coalesced != true));
    }
  }
  CHECK(says(with(coordinates(), [](Matrix& m) { m.first = {0, 0, 1, 1, 1, 0}; }),
             "said to be coalesced has its entry at row 0, column 1 after that at row 0, column 1"));
}

TEST_CASE("entries outside of a sparse matrix") {
  const auto coordinate = [](std::size_t i, std::int64_t value) {
    Matrix matrix = coordinates();
    matrix.coalesced = false;
    matrix.first.at(i) = value;
    return matrix;
  };
  CHECK(says(coordinate(2, 2), "2 rows and 3 columns with an entry at row 2, column 0"));
  CHECK(says(coordinate(0, -1), "entry at row -1, column 1"));
  CHECK(says(coordinate(5, 3), "entry at row 1, column 3"));
  CHECK(says(coordinate(3, INT64_MIN), "entry at row 0, column -9223372036854775808"));
  CHECK(says(with(compressed(), [](Matrix& m) { m.columns = {1, 3, 0}; }), "entry at row 0, column 3"));
  CHECK(says(with(compressed(), [](Matrix& m) { m.columns = {-1, 2, 0}; }), "entry at row 0, column -1"));
}

TEST_CASE("compressed rows that do not ascend") {
  CHECK(says(with(compressed(), [](Matrix& m) { m.first = {0, 4, 3}; }), "do not ascend at row 0"));
  CHECK(says(with(compressed(), [](Matrix& m) { m.first = {0, -1, 3}; }), "do not ascend at row 0"));
  CHECK(says(with(compressed(), [](Matrix& m) { m.first = {1, 2, 3}; }), "go from 1 to 3, not from 0 to its 3"));
  CHECK(says(with(compressed(), [](Matrix& m) { m.first = {0, 2, 2}; }), "go from 0 to 2, not from 0 to its 3"));
  CHECK(says(with(compressed(), [](Matrix& m) { m.first = {0, 2, INT64_MAX}; }), "to 9223372036854775807"));
  CHECK(says(with(compressed(),
                  [](Matrix& m) {
                    m.columns = {2, 1, 0};
                  }),
             "entry at row 0, column 1 after that at row 0, column 2"));
  CHECK(says(with(compressed(), [](Matrix& m) { m.columns = {1, 1, 0}; }), "entry at row 0, column 1 after"));
  Matrix empty_row = compressed();
  empty_row.first = {0, 0, 3};
  empty_row.columns = {0, 1, 2};
  CHECK(refusal(empty_row).empty());
}

TEST_CASE("sparse tensors whose parts do not fit each other or the file") {
  CHECK(says(with(coordinates(), [](Matrix& m) { m.claimed = 8; }), "its entry only 48"));
  CHECK(says(with(compressed(), [](Matrix& m) { m.claimed = 4; }), "its entry only 24"));
  CHECK(says(with(coordinates(), [](Matrix& m) { m.values = {1, 2}; }), "indices have the shape (2, 3)"));
  CHECK(says(with(coordinates(), [](Matrix& m) { m.first_shape = {3, 2}; }), "indices have the shape (3, 2)"));
  CHECK(says(with(coordinates(), [](Matrix& m) { m.first_shape = {6}; }), "indices have the shape (6)"));
  CHECK(says(with(compressed(), [](Matrix& m) { m.size = {3, 3}; }), "row pointers have the shape (3)"));
  CHECK(says(with(compressed(), [](Matrix& m) { m.size = {INT64_MAX, 3}; }), "row pointers have the shape (3)"));
  CHECK(says(with(compressed(), [](Matrix& m) { m.columns = {1, 2}; }), "columns have the shape (2)"));
  CHECK(says(with(coordinates(), [](Matrix& m) { m.size = {-2, 3}; }), "negative"));
  CHECK(says(with(coordinates(), [](Matrix& m) { m.size = {}; }), "expected a sparse tensor"));
  CHECK(says(with(coordinates(), [](Matrix& m) { m.size = {2, 3, 1}; }), "expected a sparse tensor"));
  CHECK(says(with(coordinates(), [](Matrix& m) { m.layout = "torch.sparse_bsr"; }), "expected a sparse tensor"));
  CHECK(says(with(coordinates(), [](Matrix& m) { m.layout = "torch.sparse_csr"; }), "size is malformed"));
  CHECK(says(with(coordinates(), [](Matrix& m) { m.values_class = "IntStorage"; }), "type int32"));
}

TEST_CASE("sparse matrices that do not fit their grids, or are larger than anything in them") {
  CHECK(refusal(coordinates(), 2, 3).empty());
  CHECK(refusal(coordinates(), 2, 4).find("2 rows and 3 columns, where 2 and 4") != std::string::npos);
  CHECK(refusal(compressed(), 3, kAnySize).find("2 rows and 3 columns, where 3 and any") != std::string::npos);
  CHECK(says(with(coordinates(), [](Matrix& m) { m.size = {std::int64_t{1} << 40, 3}; }), "1099511627776 rows"));
  CHECK(says(with(coordinates(), [](Matrix& m) { m.size = {2, INT64_MAX}; }), "9223372036854775807 columns"));
  CHECK(says(with(coordinates(), [](Matrix& m) { m.size = {2'000'000'000, 3}; }), "2000000000 rows"));
  CHECK(says(with(compressed(), [](Matrix& m) { m.size = {2, 2'000'000'000}; }), "2000000000 columns"));
}

}  // namespace tradewind::checkpoint
