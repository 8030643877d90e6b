// What lies around the area of a limited-area model: rows that it is not to forecast (`output_mask` of the checkpoint
// is false there), whose prognostic variables the next input takes from a source at its own time. Output is left as the
// model made it. As anemoi-inference has it (add_boundary_forcings_to_input_tensor).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "common/dates.h"
#include "worker/dist/shards.h"
#include "worker/forecast/roles.h"
#include "worker/inputs/input.h"

namespace tradewind::forecast {

class Boundary {
 public:
  // mask: of the whole grid, 0 where the model is not to forecast. own: this rank's rows of it.
  Boundary(std::shared_ptr<inputs::Input> input, const std::vector<double>& mask, const dist::RowRange& own);

  // Whether any row of the whole grid lies around; the same on every rank.
  bool empty() const { return empty_; }
  // Writes the columns of row `time` of x (input steps, this rank's rows, input variables). Collective, as the source
  // is. Errors: those of the source.
  void put(at::Tensor& x, std::int64_t time, const NamedColumns& prognostic, Time valid) const;

 private:
  std::shared_ptr<inputs::Input> input_;
  dist::RowRange own_;
  at::Tensor rows_;  // int64, among this rank's rows
  bool empty_;
};

}  // namespace tradewind::forecast
