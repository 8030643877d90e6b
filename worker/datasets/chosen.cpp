// A dataset with some of another's dates and variables.
#include <utility>

#include "worker/datasets/dataset.h"

namespace tradewind::datasets {
namespace {

class ChosenDataset : public Dataset {
 public:
  ChosenDataset(std::shared_ptr<const Dataset> from, Chosen chosen)
      : from_(std::move(from)), chosen_(std::move(chosen)) {
    for (const std::int64_t date : chosen_.dates) dates_.push_back(from_->dates().at(static_cast<std::size_t>(date)));
  }
  const std::string& where() const override { return from_->where(); }
  const std::vector<Time>& dates() const override { return dates_; }
  Duration frequency() const override { return chosen_.frequency; }
  const std::vector<std::string>& variables() const override { return chosen_.names; }
  std::int64_t points() const override {
    return chosen_.points ? static_cast<std::int64_t>(chosen_.points->size()) : from_->points();
  }
  std::vector<std::int64_t> field_shape() const override { return chosen_.field_shape; }
  fields::Points coordinates() const override {
    fields::Points all = from_->coordinates();
    if (!chosen_.points) return all;
    fields::Points some;
    for (const std::int64_t point : *chosen_.points) {
      some.latitudes.push_back(all.latitudes.at(static_cast<std::size_t>(point)));
      some.longitudes.push_back(all.longitudes.at(static_cast<std::size_t>(point)));
    }
    return some;
  }
  bool is_missing(std::int64_t date) const override {
    return from_->is_missing(chosen_.dates.at(static_cast<std::size_t>(date)));
  }
  std::int64_t read(const Part& part, float* to) const override { return from_->read(part_of(part), to); }
  std::int64_t read(const Part& part, double* to) const override { return from_->read(part_of(part), to); }

 private:
  Part part_of(const Part& part) const {
    Part own{.dates = {}, .variables = {}, .points = part.points};
    for (const std::int64_t date : part.dates) own.dates.push_back(chosen_.dates.at(static_cast<std::size_t>(date)));
    for (const std::int64_t variable : part.variables)
      own.variables.push_back(chosen_.variables.at(static_cast<std::size_t>(variable)));
    if (!chosen_.points) return own;
    const auto place = [&](std::int64_t point) { return chosen_.points->at(static_cast<std::size_t>(point)); };
    const zarr::Wanted& wanted = part.points;
    own.points = {};
    for (const std::int64_t point : wanted.places) own.points.places.push_back(place(point));
    if (wanted.places.empty())
      for (std::int64_t point = wanted.begin; point < wanted.end; ++point) own.points.places.push_back(place(point));
    return own;
  }

  std::shared_ptr<const Dataset> from_;
  Chosen chosen_;
  std::vector<Time> dates_;
};

}  // namespace

std::shared_ptr<const Dataset> choose(std::shared_ptr<const Dataset> from, Chosen chosen) {
  return std::make_shared<ChosenDataset>(std::move(from), std::move(chosen));
}

}  // namespace tradewind::datasets
