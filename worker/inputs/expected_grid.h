// The grid that all fields of a run lie on: whatever input a field comes from, its points are held against these.
// Shared by the inputs of a run; not thread-safe. Errors: UserError naming the field, its place and the first point
// that differs.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "worker/grib/geometry.h"
#include "worker/grib/handle.h"

namespace tradewind::inputs {

class ExpectedGrid {
 public:
  // `points`: where the points are known to lie; null: where the first field has them. `whose`: "the checkpoint".
  explicit ExpectedGrid(std::shared_ptr<const grib::Points> points = nullptr, std::string whose = {});

  // Messages with this grid_section() are known to be on the grid.
  void accept(const std::string& section) { accepted_.insert(section); }

  // `section`: the grid_section() of the message that `open` gives. Points are worked out only for sections not yet
  // known to be the same grid.
  void check(const std::string& field, const std::string& section, const std::function<grib::Handle()>& open,
             std::size_t count);
  // What was taken on trust, once.
  std::vector<std::string> take_warnings();

 private:
  void check_without_points(const std::string& field, const std::string& section, const grib::Handle& message,
                            const grib::NoPoints& why);

  std::shared_ptr<const grib::Points> points_;
  std::string whose_;
  std::set<std::string> accepted_;
  // The first message without points, to which the others must be equal.
  std::string first_without_, section_without_;
  std::vector<std::string> warnings_;
};

}  // namespace tradewind::inputs
