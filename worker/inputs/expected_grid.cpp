#include "worker/inputs/expected_grid.h"

#include <utility>

#include "common/errors.h"

namespace tradewind::inputs {
namespace {

// Which of the grids kept elsewhere a message means; empty where it does not say.
std::string reference_of(const grib::Handle& message) {
  std::string text;
  for (const char* key : {"numberOfGridUsed", "numberOfGridInReference", "uuidOfHGrid"})
    if (const auto value = message.text(key)) text += (text.empty() ? "" : ", ") + std::string(key) + " " + *value;
  return text.empty() ? "" : " (" + text + ")";
}

std::string place_of(const grib::Points& points, std::size_t i) {
  if (i >= points.latitudes.size()) return "no such point";
  return "latitude " + std::to_string(points.latitudes[i]) + ", longitude " + std::to_string(points.longitudes[i]);
}

}  // namespace

ExpectedGrid::ExpectedGrid(std::shared_ptr<const grib::Points> points, std::string whose)
    : points_(std::move(points)), whose_(std::move(whose)) {}

void ExpectedGrid::check(const std::string& field, const std::string& section,
                         const std::function<grib::Handle()>& open, std::size_t count) {
  if (accepted_.contains(section)) return;
  const grib::Handle message = open();
  grib::NoPoints why;
  auto points = grib::points_of(message, count, why);
  if (!points) {
    check_without_points(field, section, message, why);
  } else if (!points_) {
    points_ = std::make_shared<const grib::Points>(std::move(*points));
    whose_ = "field " + field;
  } else if (const auto differs = grib::first_difference(*points, *points_, grib::all_close)) {
    throw UserError("field " + field + " is on another grid: its point " + std::to_string(*differs) + " has " +
                        place_of(*points, *differs) + ", " + whose_ + " has " + place_of(*points_, *differs),
                    message.where(), "give all fields on the checkpoint's grid, in its order of points");
  }
  accepted_.insert(section);
}

void ExpectedGrid::check_without_points(const std::string& field, const std::string& section,
                                        const grib::Handle& message, const grib::NoPoints& why) {
  if (first_without_.empty()) {
    first_without_ = field + reference_of(message);
    section_without_ = section;
    warnings_.push_back("field " + field + " and all on its grid: " + why.why + reference_of(message) +
                        "; they are taken to be those of " + (points_ ? whose_ : "the model") + ", in that order");
  } else if (section != section_without_) {
    throw UserError("fields " + first_without_ + " and " + field + reference_of(message) +
                        " are on different grids, and neither's points can be looked at",
                    message.where(), "give all fields on the checkpoint's grid");
  }
}

std::vector<std::string> ExpectedGrid::take_warnings() { return std::exchange(warnings_, {}); }

}  // namespace tradewind::inputs
