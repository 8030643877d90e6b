// Where a forecast starts from: fields of named variables at given times, on this rank's rows of the grid.
// One input serves prognostic variables, constant and dynamic forcings alike, so that files are scanned once per run.
// Not thread-safe. Errors: UserError naming file, variable and date.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/archive/archive.h"
#include "common/checkpoint/metadata.h"
#include "common/config/inputs/inputs.h"
#include "common/dates.h"
#include "worker/dist/communicator.h"
#include "worker/dist/shards.h"
#include "worker/fields/points/points.h"
#include "worker/inputs/expected_grid.h"

namespace tradewind::inputs {

using GridPoints = fields::Points;  // every point of the grid, in file order

// A field that an input has.
struct ListedField {
  std::string variable, param, level;  // level: empty when there is none
  Time date{};
};

class Input {
 public:
  virtual ~Input() = default;
  // The latest valid time for which the input has fields; nullopt when it has no notion of it.
  virtual std::optional<Time> latest_date() = 0;
  // Points of the first message, of which there must be `count`; nullopt when the input has no grid of its own.
  virtual std::optional<GridPoints> grid_points(std::int64_t count) = 0;
  // Whether its points are where fields of other inputs must have theirs.
  virtual bool has_real_grid() const { return false; }
  // The grid that every field to be read must be on, else UserError; what grid_points() gave is on it. Not called: that
  // of the first field.
  virtual void expect(std::shared_ptr<ExpectedGrid> /*grid*/) {}
  // From now on read() takes fields of the forecast from that date alone; none: of any, as at first. Inputs that know
  // of no forecast dates are not concerned.
  virtual void only_of(std::optional<Time> /*forecast*/) {}
  // What was left out or taken on trust so far, each once. On rank 0.
  virtual std::vector<std::string> take_warnings() { return {}; }
  // (dates, rows, variables), float32, in the given orders; missing values are NaN. Exactly one field per variable and
  // date, else UserError.
  virtual at::Tensor read(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                          const dist::RowRange& rows) = 0;
  // The same in float64, for those who compute with it.
  virtual at::Tensor read_double(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                                 const dist::RowRange& rows);
  // What there is at these dates, in order, when `variables` are to be read.
  virtual std::vector<ListedField> list(const std::vector<std::string>& variables,
                                        const std::vector<Time>& dates) const;
  // Whether pre-processors of the run are applied to what it reads.
  virtual bool takes_filters() const { return true; }
  // The inputs that this one is made of, for those who ask for a capability that not every kind has.
  virtual std::vector<Input*> sources() { return {}; }
  // Of which variable of its sources a variable is made.
  virtual std::string origin_of(const std::string& variable) const { return variable; }
};

// What every kind of input is made with. Filters behind an input stand around it (filtered_input.h).
struct InputContext {
  const checkpoint::Metadata& metadata;  // names the variables (param, level); outlives the input
  dist::Communicator& communicator;
  std::vector<config::PreProcessor> pre_processors = {};  // of the run, after the input's own
  std::shared_ptr<const archive::Archive> archive = {};   // of the checkpoint: arrays that the metadata names
};
std::unique_ptr<Input> make_input(const config::InputConfig& config, const InputContext& context);
std::unique_ptr<Input> make_input(const config::InputConfig& config, const checkpoint::Metadata& metadata,
                                  dist::Communicator& communicator);

}  // namespace tradewind::inputs
