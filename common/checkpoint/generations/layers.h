// Readers of the small layers that every family is made of: linear, layer norm, activations, sequences; and the checks
// of tensors that they share. Every reader checks class, attributes, dtype and shape. Pure, thread-safe. Errors:
// UserError with class and path.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "common/checkpoint/description.h"
#include "common/checkpoint/tree.h"

namespace tradewind::checkpoint {

constexpr std::int64_t kAnySize = -1;

bool is_integer(ScalarType type);
bool is_floating(ScalarType type);

// The tensor of a node, of this shape (kAnySize: any); of a floating or of an integer type.
const TensorDescriptor& floating_tensor(const Node& node, std::initializer_list<std::int64_t> shape);
const TensorDescriptor& integer_tensor(const Node& node, std::initializer_list<std::int64_t> shape);
// Rows [begin, begin + count) of a tensor, no copy.
TensorDescriptor rows_of(const TensorDescriptor& tensor, std::int64_t begin, std::int64_t count);
// Column numbers, each in [0, limit), none twice.
std::vector<std::int64_t> columns_of(const Node& node, std::int64_t limit);
// The same from a list of numbers.
std::vector<std::int64_t> listed_columns(const Node& node, std::int64_t limit);
// None, or a column number in [0, limit); kAnySize: no limit. A list of them, where a column may occur again.
std::optional<std::int64_t> optional_column(const Node& node, std::int64_t limit);
std::vector<std::optional<std::int64_t>> optional_columns(const Node& node, std::int64_t limit);
// An attribute in [1, 2^24]; UserError naming it otherwise.
std::int64_t positive(const Node& node);

LinearDescription read_linear(const Node& node, std::int64_t outputs, std::int64_t inputs);
LayerNormDescription read_layer_norm(const Node& node, std::int64_t size);
// `condition` wide is that of each row, 0 where there is none: the class must be the one that takes it.
NormDescription read_norm(const Node& node, std::int64_t size, std::int64_t condition);
// A Sequential, an MLP, or a single layer; `inputs` wide at its begin and `outputs` wide at its end.
SequentialDescription read_sequential(const Node& node, std::int64_t outputs, std::int64_t inputs);
// What comes out of an MLP, by its last linear layer.
std::int64_t sequential_outputs(const Node& node);
// Width of a linear layer without reading it: out_features by the weight's shape.
std::int64_t linear_outputs(const Node& node);

}  // namespace tradewind::checkpoint
