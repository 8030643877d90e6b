// Between grid shards and whole fields: on one side every rank holds its rows of all variables, on the other each
// variable's whole field is on the rank that owns it (writes or has decoded it). Moves in pieces of a few variables of
// every owner, so that no rank has more than `max_bytes` on the way out and as much on the way in (besides the whole
// fields of that piece); a field is split by rows when it alone is larger. All functions are collective, with the same
// owners, row counts, dtype and bound on every rank. A rank may own no field or no row. Errors: as Communicator's;
// InternalFault for shapes that do not fit.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "worker/dist/communicator.h"

namespace tradewind::dist {

struct FieldLayout {
  std::vector<int> owners;               // rank that owns each variable
  std::vector<std::int64_t> row_counts;  // rows of each rank, consecutive in the field
  std::int64_t max_bytes = 64 << 20;
};

// Whole fields (variables, all rows) of variables that this rank owns, some at a time, contiguous. The sink may keep
// them.
using FieldSink = std::function<void(const std::vector<std::int64_t>& variables, const at::Tensor& fields)>;
// Gives whole fields (variables, all rows), any strides: called once for each variable, just before it is needed.
using FieldSource = std::function<at::Tensor(const std::vector<std::int64_t>& variables)>;

// fields: (variables, my rows), any strides. The sink sees this rank's variables in ascending order.
void fields_to_owners(Communicator& communicator, const at::Tensor& fields, const FieldLayout& layout,
                      const FieldSink& sink, std::string_view place);

// Returns (variables, my rows), contiguous, of `dtype`, which every field must have.
at::Tensor fields_to_rows(Communicator& communicator, const FieldSource& source, at::ScalarType dtype,
                          const FieldLayout& layout, std::string_view place);

}  // namespace tradewind::dist
