// Keys and values that queries attend to: packed for the attention kernel on a CPU, plain and in the type of the
// precision on other devices. Not thread-safe while rows are added.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "worker/nn/workspace.h"

namespace tradewind::nn {

// What is done to q . k before the softmax; see AttentionDescription.
struct Scores {
  std::int64_t window = -1;  // negative: every key is seen
  double softcap = 0;
  at::Tensor slopes;  // (heads), undefined without ALiBi
};

class KeyTable {
 public:
  // Lives in the workspace's memory, until the next table does.
  KeyTable(std::int64_t rows, std::int64_t heads, std::int64_t head_size, at::ScalarType type, Workspace& workspace);
  // key, value (n, heads * head_size) float32 contiguous become rows [first, first + n).
  void add(const at::Tensor& key, const at::Tensor& value, std::int64_t first);
  // query (n, heads * head_size) float32 contiguous becomes the attention's result; 0 for a query that sees no key.
  // position: of its first row, counted from the table's first.
  void attend(at::Tensor query, std::int64_t position, const Scores& scores) const;

 private:
  void attend_packed(at::Tensor& query, std::int64_t position, const Scores& scores) const;

  std::int64_t rows_, heads_, head_size_;
  bool packed_;
  at::Tensor keys_, values_;  // packed, or (rows, heads * head_size)
};

}  // namespace tradewind::nn
