// The grid that all fields of a run lie on: whatever input a field comes from, its points are held against these.
// Shared by the inputs of a run; not thread-safe. Errors: UserError naming the field, its place and the first point
// that differs.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "worker/fields/points/points.h"

namespace tradewind::inputs {

// What a field says of where its points lie.
struct FieldPoints {
  std::optional<fields::Points> points;
  std::string why_not;    // where there are none
  std::string reference;  // of such a field: which grid kept elsewhere it means, " (...)"; empty where it does not say
  std::string where;      // the field: its file and place in it
};

class ExpectedGrid {
 public:
  // `points`: where the points are known to lie; null: where the first field has them. `whose`: "the checkpoint".
  explicit ExpectedGrid(std::shared_ptr<const fields::Points> points = nullptr, std::string whose = {});

  // Fields of this description are known to be on the grid.
  void accept(const std::string& description) { accepted_.insert(description); }

  // `description`: of the grid as the field's format gives it, the same text for the same grid. `look` is called only
  // for one that is not yet known to be the grid.
  void check(const std::string& field, const std::string& description, const std::function<FieldPoints()>& look);
  // What was taken on trust, once.
  std::vector<std::string> take_warnings();

 private:
  void check_without_points(const std::string& field, const std::string& description, const FieldPoints& found);

  std::shared_ptr<const fields::Points> points_;
  std::string whose_;
  std::set<std::string> accepted_;
  // The first field without points, to which the others must be equal.
  std::string first_without_, description_without_;
  std::vector<std::string> warnings_;
};

}  // namespace tradewind::inputs
