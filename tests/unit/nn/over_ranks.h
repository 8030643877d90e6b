// Runs a layer over several ranks, each with its rows, and puts the rows together again.
#pragma once

#include <ATen/ATen.h>

#include <functional>

#include "common/checkpoint/description.h"
#include "tests/unit/dist/ranks.h"

namespace tradewind::testing {

// Uneven and even shares, and more ranks than some layers have heads.
constexpr int world_sizes[] = {1, 2, 3, 4, 7};

// Largest difference in units of the expected values' deviation; NaN when one is not finite.
double worst(const at::Tensor& ours, const at::Tensor& expected);

// Runs `as_rank` on every rank, which returns the rank's rows, and puts them together.
at::Tensor assemble(int world_size, std::int64_t rows, std::int64_t columns,
                    const std::function<at::Tensor(dist::Communicator&)>& as_rank);

// A mapper's result for all destinations; `fixed`: destinations are given once, as to an encoder. condition: (1, k) of
// all rows, undefined where there is none.
at::Tensor run_mapper(const checkpoint::MapperDescription& description, const at::Tensor& sources,
                      const at::Tensor& destinations, std::int64_t columns, bool fixed, int world_size,
                      std::int64_t pieces, std::int64_t kept_bytes = 1 << 20, const at::Tensor& condition = {});
// condition: of the rows, or (1, k) of all; undefined where there is none.
at::Tensor run_processor(const checkpoint::ProcessorDescription& description, const at::Tensor& x, int world_size,
                         std::int64_t chunks, std::int64_t kept_bytes = 1 << 20, const at::Tensor& condition = {});

}  // namespace tradewind::testing
