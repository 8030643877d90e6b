// Masks of points: a .npy file if one is there, else an array of the checkpoint. Pure but for what they read.
#pragma once

#include <string>
#include <vector>

#include "worker/filters/filter.h"

namespace tradewind::filters {

// One value per point. UserError naming the file or array when there is none, or when it is no list of booleans.
std::vector<bool> read_mask(const std::string& mask, const FilterContext& context, const config::Origin& at);

// A NumPy array as numbers.
struct NumpyField {
  std::vector<double> values;  // in C order
  bool single = false;         // of float32
};
// Booleans, integers or floats, little-endian, C order. UserError naming the file for anything else.
NumpyField read_numpy(const std::string& path);

}  // namespace tradewind::filters
