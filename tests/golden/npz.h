// Arrays of a NumPy .npz file, as far as the golden tests need them: float32 and text.
// Errors: tradewind::UserError naming file and array.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/checkpoint/archive.h"

namespace tradewind::golden {

struct FloatArray {
  std::vector<std::int64_t> shape;
  std::vector<float> values;  // last dimension fastest
};

bool has_array(const checkpoint::Archive& npz, const std::string& name);
FloatArray read_floats(const checkpoint::Archive& npz, const std::string& name);
// One string per element of a one-dimensional text array (<U).
std::vector<std::string> read_names(const checkpoint::Archive& npz, const std::string& name);

}  // namespace tradewind::golden
