// Fields as filters of anemoi-transform see them: one after another, each with a parameter and a level. Plain values.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/dates.h"

namespace tradewind::filters {

struct Field {
  std::string variable, param, level;  // level: empty when there is none
  at::Tensor values = {};              // (rows), float32 or float64; undefined: not there yet
  std::optional<Duration> start_step = {};
  Time valid{};                   // of an input's fields
  std::vector<std::size_t> of{};  // from which fields of an input it is made; the first it was before
  bool changed = false;           // its values, by some filter
};
using Fields = std::vector<Field>;

}  // namespace tradewind::filters
