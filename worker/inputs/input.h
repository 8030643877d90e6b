// Where a forecast starts from: fields of named variables at given times, on this rank's rows of the grid.
// One input serves prognostic variables, constant and dynamic forcings alike, so that files are scanned once per run.
// Not thread-safe. Errors: UserError naming file, variable and date.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/checkpoint/metadata.h"
#include "common/config/run_config.h"
#include "common/dates.h"
#include "worker/dist/communicator.h"
#include "worker/dist/shards.h"
#include "worker/grib/template_set.h"

namespace tradewind::inputs {

struct GridPoints {
  std::vector<double> latitudes, longitudes;  // degrees, every point of the grid, in file order
};

class Input {
 public:
  virtual ~Input() = default;
  // The latest valid time for which the input has fields; nullopt when it has no notion of it.
  virtual std::optional<Time> latest_date() = 0;
  // Points of the first message; nullopt when the input has no grid of its own.
  virtual std::optional<GridPoints> grid_points() = 0;
  // (dates, rows, variables), float32, in the given orders; missing values are NaN. Exactly one field per variable and
  // date, else UserError.
  virtual at::Tensor read(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                          const dist::RowRange& rows) = 0;
  // Whole messages of what was read, latest date, to be read again when needed, for the `input` templates of outputs;
  // empty when not GRIB.
  virtual std::shared_ptr<const grib::TemplateSet> templates(const std::vector<std::string>& variables) = 0;
};

// `metadata` names the variables (param, level); must outlive the input.
std::unique_ptr<Input> make_input(const config::InputConfig& config, const checkpoint::Metadata& metadata,
                                  dist::Communicator& communicator);

}  // namespace tradewind::inputs
