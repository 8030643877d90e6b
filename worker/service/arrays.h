// How the tensors of a model call lie in the memory that client and ranks share. All are float32, dense, each from a
// multiple of 64 bytes on.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/checkpoint/description.h"
#include "worker/service/shared_block.h"

namespace tradewind::service {

struct Array {
  std::string name;
  std::vector<std::int64_t> shape;
  std::size_t offset = 0;
};

struct Layout {
  std::vector<Array> x, y;   // of each dataset; y of one without a decoder has no name and no elements
  std::vector<Array> noise;  // one, or none where the model takes none
  std::size_t bytes = 0;
};

// For calls of so many samples: x (samples, input steps, points, variables), y (samples, output steps, points,
// variables), noise (samples, rows, channels) of an ensemble model, (samples, output steps, points, variables) of a
// transport model.
Layout layout_of(const checkpoint::ModelDescription& model, std::int64_t samples);
// [{"name", "shape", "offset"}, ...]
nlohmann::ordered_json to_json(const Layout& layout);
// A view of the block, which must outlive it.
at::Tensor tensor_of(const SharedBlock& block, const Array& array);

}  // namespace tradewind::service
