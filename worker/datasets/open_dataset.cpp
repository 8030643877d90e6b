// anemoi-datasets' open_dataset: its options one after the other, in its order.
#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "common/errors.h"
#include "common/nearest.h"
#include "worker/datasets/dataset.h"

namespace tradewind::datasets {
namespace {

// What is left of a dataset's dates and variables while options are applied.
class Choice {
 public:
  explicit Choice(const Dataset& from) : from_(from) {
    chosen_.dates.resize(from.dates().size());
    std::iota(chosen_.dates.begin(), chosen_.dates.end(), 0);
    chosen_.variables.resize(from.variables().size());
    std::iota(chosen_.variables.begin(), chosen_.variables.end(), 0);
    chosen_.names = from.variables();
    chosen_.frequency = from.frequency();
    chosen_.field_shape = from.field_shape();
  }

  void limit(const std::optional<config::DatePeriod>& start, const std::optional<config::DatePeriod>& end) {
    std::erase_if(chosen_.dates, [&](std::int64_t i) {
      const Time date = from_.dates()[static_cast<std::size_t>(i)];
      return (start && date < start->first) || (end && date >= end->past);
    });
    if (chosen_.dates.empty())
      throw UserError("no date of the dataset lies between `start` and `end`; it has " +
                          iso_date(from_.dates().front()) + " to " + iso_date(from_.dates().back()),
                      from_.where(), "check `start` and `end`");
  }

  void thin(Duration frequency) {
    if (frequency % chosen_.frequency != Duration::zero())
      throw UserError("`frequency` " + duration_text(frequency) + " is no multiple of the dataset's " +
                          duration_text(chosen_.frequency),
                      from_.where(), "give a multiple");
    const auto step = static_cast<std::size_t>(frequency / chosen_.frequency);
    std::vector<std::int64_t> kept;
    for (std::size_t i = 0; i < chosen_.dates.size(); i += step) kept.push_back(chosen_.dates[i]);
    chosen_.dates = std::move(kept);
    chosen_.frequency = frequency;
  }

  void select(const std::vector<std::string>& names, const char* option) {
    std::vector<std::int64_t> variables;
    for (const std::string& name : names) variables.push_back(chosen_.variables[place_of(name, option)]);
    chosen_.variables = std::move(variables);
    chosen_.names = names;
    if (std::set<std::string>(names.begin(), names.end()).size() != names.size())
      throw UserError("`" + std::string(option) + "` names a variable twice", from_.where(), "name each once");
  }

  void drop(const std::vector<std::string>& names) {
    for (const std::string& name : names) place_of(name, "drop");
    std::vector<std::string> kept;
    for (const std::string& name : chosen_.names)
      if (std::find(names.begin(), names.end(), name) == names.end()) kept.push_back(name);
    select(kept, "drop");
  }

  void reorder(const std::vector<std::string>& names) {
    if (names.size() != chosen_.names.size())
      throw UserError(
          "`reorder` names " + std::to_string(names.size()) + " variables of " + std::to_string(chosen_.names.size()),
          from_.where(), "name all, or write `select`");
    select(names, "reorder");
  }

  void sort() {
    std::vector<std::string> names = chosen_.names;
    std::sort(names.begin(), names.end());
    select(names, "reorder");
  }

  void rename(const std::vector<std::pair<std::string, std::string>>& names) {
    std::vector<std::string> renamed = chosen_.names;
    for (const auto& [old, name] : names) renamed[place_of(old, "rename")] = name;
    if (std::set<std::string>(renamed.begin(), renamed.end()).size() != renamed.size())
      throw UserError("`rename` gives two variables one name", from_.where(), "give each a name of its own");
    chosen_.names = std::move(renamed);
  }

  // Rows and columns that `keep` says.
  template <typename Keep>
  void keep_grid(const char* option, const Keep& keep) {
    if (chosen_.field_shape.size() != 2)
      throw UserError("`" + std::string(option) + "` needs a grid of rows and columns, which the dataset has not",
                      from_.where(), "leave it out, or give a dataset on a regular grid");
    const std::int64_t height = chosen_.field_shape[0], width = chosen_.field_shape[1];
    std::vector<std::int64_t> kept;
    std::int64_t rows = 0;
    for (std::int64_t row = 0; row < height; ++row) {
      const std::size_t before = kept.size();
      for (std::int64_t column = 0; column < width; ++column)
        if (keep(row, column, height, width)) kept.push_back(point(row * width + column));
      rows += kept.size() > before ? 1 : 0;
    }
    if (kept.empty())
      throw UserError("`" + std::string(option) + "` leaves no points", from_.where(), "take less away");
    chosen_.field_shape = {rows, static_cast<std::int64_t>(kept.size()) / rows};
    chosen_.points = std::move(kept);
  }

  // North, west, south, east; edges belong to it, and longitudes may be a whole turn off.
  void crop(const std::array<double, 4>& area) {
    const fields::Points all = from_.coordinates();
    std::vector<std::int64_t> kept;
    const std::int64_t count = chosen_.points ? static_cast<std::int64_t>(chosen_.points->size()) : from_.points();
    for (std::int64_t i = 0; i < count; ++i) {
      const auto place = static_cast<std::size_t>(point(i));
      const double latitude = all.latitudes[place], longitude = all.longitudes[place];
      bool inside = false;
      for (const double turn : {0.0, 360.0, -360.0})
        inside = inside || (longitude >= area[1] + turn && longitude <= area[3] + turn);
      if (inside && latitude >= area[2] && latitude <= area[0]) kept.push_back(point(i));
    }
    if (kept.empty())
      throw UserError("no point of the dataset lies in `area`", from_.where(),
                      "write area: [north, west, south, east]");
    chosen_.field_shape = {static_cast<std::int64_t>(kept.size())};
    chosen_.points = std::move(kept);
  }

  Chosen take() { return std::move(chosen_); }

 private:
  std::int64_t point(std::int64_t i) const {
    return chosen_.points ? (*chosen_.points)[static_cast<std::size_t>(i)] : i;
  }
  std::size_t place_of(const std::string& name, const char* option) const {
    const auto found = std::find(chosen_.names.begin(), chosen_.names.end(), name);
    if (found != chosen_.names.end()) return static_cast<std::size_t>(found - chosen_.names.begin());
    throw UserError("`" + std::string(option) + "` names '" + name + "', which the dataset has not", from_.where(),
                    did_you_mean(name, chosen_.names) + "name variables of the dataset");
  }

  const Dataset& from_;
  Chosen chosen_;
};

}  // namespace

std::shared_ptr<const Dataset> open_dataset(const config::OpenDataset& options) {
  auto dataset = options.inner.empty() ? open_store(options.path) : open_dataset(options.inner.front());
  Choice choice(*dataset);
  if (options.start || options.end) choice.limit(options.start, options.end);
  if (options.frequency) choice.thin(*options.frequency);
  if (options.select) choice.select(*options.select, "select");
  if (options.drop) choice.drop(*options.drop);
  if (options.sort) choice.sort();
  if (options.reorder) choice.reorder(*options.reorder);
  if (!options.rename.empty()) choice.rename(options.rename);
  if (options.trim_edge)
    choice.keep_grid("trim_edge", [&edge = *options.trim_edge](auto row, auto column, auto height, auto width) {
      return row >= edge[0] && row < height - edge[1] && column >= edge[2] && column < width - edge[3];
    });
  if (options.thinning)
    choice.keep_grid("thinning", [every = *options.thinning](auto row, auto column, auto /*height*/, auto /*width*/) {
      return row % every == 0 && column % every == 0;
    });
  if (options.area) choice.crop(*options.area);
  return choose(std::move(dataset), choice.take());
}

}  // namespace tradewind::datasets
