// This rank's rows of a whole field of random numbers, as torch.randn draws it at once: every rank draws all of them
// from a generator in the same state and keeps its own, a piece of the field at a time.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "worker/dist/shards.h"

namespace tradewind::nn {

// Standard normal numbers of the field (steps, rows, columns) on the CPU: own rows as (own rows, steps * columns), step
// slowest. type: float or double, whose bits differ. piece: numbers drawn at a time, for tests.
at::Tensor drawn_rows(at::Generator random, at::ScalarType type, std::int64_t steps, std::int64_t rows,
                      std::int64_t columns, dist::RowRange own, std::int64_t piece = std::int64_t{1} << 20);

// Own rows of a whole field (steps, rows, columns), in the same order.
at::Tensor own_rows(const at::Tensor& field, dist::RowRange own);

}  // namespace tradewind::nn
