#include "worker/inputs/expected_grid.h"

#include <utility>

#include "common/errors.h"

namespace tradewind::inputs {
namespace {

std::string coordinates_of(const fields::Points& points, std::size_t i) {
  if (i >= points.latitudes.size()) return "no such point";
  return "latitude " + std::to_string(points.latitudes[i]) + ", longitude " + std::to_string(points.longitudes[i]);
}

}  // namespace

ExpectedGrid::ExpectedGrid(std::shared_ptr<const fields::Points> points, std::string whose)
    : points_(std::move(points)), whose_(std::move(whose)) {}

void ExpectedGrid::check(const std::string& field, const std::string& description,
                         const std::function<FieldPoints()>& look) {
  if (accepted_.contains(description)) return;
  FieldPoints found = look();
  if (!found.points) {
    check_without_points(field, description, found);
  } else if (!points_) {
    points_ = std::make_shared<const fields::Points>(std::move(*found.points));
    whose_ = "field " + field;
  } else if (const auto differs = fields::first_difference(*found.points, *points_, fields::all_close)) {
    throw UserError("field " + field + " is on another grid: its point " + std::to_string(*differs) + " has " +
                        coordinates_of(*found.points, *differs) + ", " + whose_ + " has " +
                        coordinates_of(*points_, *differs),
                    found.where, "give all fields on the checkpoint's grid, in its order of points");
  }
  accepted_.insert(description);
}

void ExpectedGrid::check_without_points(const std::string& field, const std::string& description,
                                        const FieldPoints& found) {
  if (first_without_.empty()) {
    first_without_ = field + found.reference;
    description_without_ = description;
    warnings_.push_back("field " + field + " and all on its grid: " + found.why_not + found.reference +
                        "; they are taken to be those of " + (points_ ? whose_ : "the model") + ", in that order");
  } else if (description != description_without_) {
    throw UserError("fields " + first_without_ + " and " + field + found.reference +
                        " are on different grids, and neither's points can be looked at",
                    found.where, "give all fields on the checkpoint's grid");
  }
}

std::vector<std::string> ExpectedGrid::take_warnings() { return std::exchange(warnings_, {}); }

}  // namespace tradewind::inputs
