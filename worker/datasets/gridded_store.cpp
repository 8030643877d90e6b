// A store of anemoi-datasets, layout "gridded": array data (dates, variables, members, points), one member.
#include <algorithm>
#include <set>
#include <utility>

#include "common/checkpoint/metadata_json.h"
#include "common/errors.h"
#include "worker/datasets/dataset.h"

namespace tradewind::datasets {
namespace {

constexpr std::int64_t most_dates = 10'000'000, most_variables = 100'000;
constexpr std::int64_t most_points = std::int64_t{1} << 28;  // 1.4 km apart all over the globe

[[noreturn]] void refuse(const std::string& what, const std::string& where) {
  throw UserError(what, where, "give a store of anemoi-datasets with fields on one grid");
}

std::vector<Time> read_dates(const std::shared_ptr<const zarr::Store>& store) {
  const auto array = zarr::Array::open(store, "dates");
  const zarr::DataType& type = array->info().type;
  if (type.kind != zarr::DataType::Kind::date) refuse("`dates` are no dates (datetime64)", array->info().where);
  std::vector<Time> dates;
  for (const std::int64_t number : array->read_all<std::int64_t>(most_dates)) {
    constexpr std::int64_t farthest = 400'000'000'000;  // seconds, some 12000 years
    const std::int64_t whole = number / type.parts, most = farthest / std::max<std::int64_t>(type.seconds, 1);
    if (number % type.parts != 0 || whole > most || whole < -most)
      refuse("`dates` has one that is no whole second of these millennia", array->info().where);
    dates.push_back(Time(Duration(type.parts == 1 ? number * type.seconds : whole)));
    if (dates.size() > 1 && dates.back() <= dates[dates.size() - 2])
      refuse("`dates` are not in order: " + iso_date(dates.back()) + " after " + iso_date(dates[dates.size() - 2]),
             array->info().where);
  }
  return dates;
}

std::vector<std::string> read_variables(const zarr::Json& attributes, std::int64_t count, const std::string& where) {
  const auto given = attributes.find("variables");
  std::vector<std::string> names;
  if (given != attributes.end()) {
    if (!given->is_array() || given->size() > most_variables) refuse("`variables` must be a list of names", where);
    for (const zarr::Json& name : *given) {
      if (!name.is_string()) refuse("`variables` must be a list of names", where);
      names.push_back(name.get<std::string>());
    }
  } else if (const auto by_name = attributes.find("name_to_index");
             by_name != attributes.end() && by_name->is_object() && by_name->size() <= most_variables) {
    names.resize(by_name->size());
    for (const auto& [name, place] : by_name->items()) {
      if (!place.is_number_integer() || place < 0 || place >= names.size())
        refuse("`name_to_index` has a number that is none of its variables", where);
      names[place.get<std::size_t>()] = name;
    }
  } else {
    refuse("the attributes name no `variables`", where);
  }
  if (std::cmp_not_equal(names.size(), count))
    refuse("the attributes name " + std::to_string(names.size()) + " variables, `data` has " + std::to_string(count),
           where);
  if (std::set<std::string>(names.begin(), names.end()).size() != names.size())
    refuse("`variables` has a name twice", where);
  return names;
}

std::set<Time> read_missing(const zarr::Json& attributes, const std::string& where) {
  std::set<Time> missing;
  const auto given = attributes.find("missing_dates");
  if (given == attributes.end() || given->is_null()) return missing;
  if (!given->is_array()) refuse("`missing_dates` must be a list of dates", where);
  for (const zarr::Json& date : *given) {
    if (!date.is_string() || date.get<std::string>().size() > 100) refuse("`missing_dates` must be dates", where);
    try {
      missing.insert(parse_date(date.get<std::string>()));
    } catch (const UserError& error) {
      refuse("`missing_dates`: " + error.message(), where);
    }
  }
  return missing;
}

Duration read_frequency(const zarr::Json& attributes, const std::vector<Time>& dates, const std::string& where) {
  const auto given = attributes.find("frequency");
  if (given == attributes.end() || given->is_null())
    return dates.size() > 1 ? dates[1] - dates[0] : Duration(std::chrono::hours(1));
  try {
    const Duration frequency =
        parse_duration(given->is_number_integer() ? given->dump() : given->get<std::string>().substr(0, 100));
    if (frequency > Duration::zero()) return frequency;
  } catch (const UserError& error) {
    refuse("`frequency`: " + error.message(), where);
  } catch (const zarr::Json::exception&) {
  }
  refuse("`frequency` must be a duration, such as 6h", where);
}

std::vector<std::int64_t> read_field_shape(const zarr::Json& attributes, std::int64_t points,
                                           const std::string& where) {
  const auto given = attributes.find("field_shape");
  if (given == attributes.end() || given->is_null()) return {points};
  const std::vector<std::int64_t> shape = zarr::read_lengths(attributes, "field_shape", 1, where);
  std::int64_t product = 1;
  for (const std::int64_t length : shape) product *= length;
  if (product != points)
    refuse("`field_shape` has " + std::to_string(product) + " points, `data` has " + std::to_string(points), where);
  return shape;
}

class GriddedStore : public Dataset {
 public:
  explicit GriddedStore(const std::string& path) : path_(path), store_(zarr::Store::open(path)) {
    const zarr::Json attributes = zarr::read_attributes(*store_);
    for (const char* key : {"layout", "format"}) {
      const auto layout = attributes.find(key);
      if (layout == attributes.end() || *layout == "gridded") continue;
      if (std::string(key) == "layout" || *layout == "tabular" || *layout == "trajectories")
        refuse("a dataset of layout " + layout->dump().substr(0, 40) + " is not supported", path);
    }
    data_ = zarr::Array::open(store_, "data");
    const std::vector<std::int64_t>& shape = data_->info().shape;
    if (shape.size() != 4)
      refuse("`data` has " + std::to_string(shape.size()) + " axes, not 4: dates, variables, members, points",
             data_->info().where);
    if (shape[2] != 1)
      refuse("ensembles are not supported: `data` has " + std::to_string(shape[2]) + " members", data_->info().where);
    if (shape[3] < 1 || shape[3] > most_points)
      refuse("`data` has " + std::to_string(shape[3]) + " points", data_->info().where);
    if (data_->info().type.kind != zarr::DataType::Kind::real)
      refuse("`data` holds no real numbers", data_->info().where);
    dates_ = read_dates(store_);
    if (dates_.empty() || std::cmp_not_equal(dates_.size(), shape[0]))
      refuse("the store has " + std::to_string(dates_.size()) + " dates, `data` has " + std::to_string(shape[0]), path);
    variables_ = read_variables(attributes, shape[1], path);
    missing_ = read_missing(attributes, path);
    field_shape_ = read_field_shape(attributes, points(), path);
    frequency_ = read_frequency(attributes, dates_, path);
    // The reference refuses such stores, too, which early versions wrote: dates and data do not belong together.
    if (!missing_.empty() && std::cmp_not_equal((dates_.back() - dates_.front()) / frequency_ + 1, dates_.size()))
      refuse("missing dates are left out of `data` instead of being empty in it", path);
  }

  const std::string& where() const override { return path_; }
  const std::vector<Time>& dates() const override { return dates_; }
  Duration frequency() const override { return frequency_; }
  const std::vector<std::string>& variables() const override { return variables_; }
  std::int64_t points() const override { return data_->info().shape[3]; }
  bool is_missing(std::int64_t date) const override {
    return missing_.contains(dates_.at(static_cast<std::size_t>(date)));
  }
  std::vector<std::int64_t> field_shape() const override { return field_shape_; }
  fields::Points coordinates() const override {
    return {coordinate("latitudes", "latitude"), coordinate("longitudes", "longitude")};
  }
  std::int64_t read(const Part& part, float* to) const override { return read_as(part, to); }
  std::int64_t read(const Part& part, double* to) const override { return read_as(part, to); }

 private:
  std::vector<double> coordinate(const std::string& name, const std::string& other) const {
    auto array = zarr::Array::find(store_, name);
    if (!array) array = zarr::Array::find(store_, other);
    if (!array) refuse("the store has no array `" + name + "`", path_);
    if (array->info().shape != std::vector<std::int64_t>{points()})
      refuse("`" + name + "` has not one number for each of the " + std::to_string(points()) + " points",
             array->info().where);
    return array->read_all<double>(points());
  }

  template <typename To>
  std::int64_t read_as(const Part& part, To* to) const {
    if (part.dates.empty() || part.variables.empty() || part.points.size() == 0) return 0;
    std::int64_t absent = 0;
    data_->read({{.places = part.dates}, {.places = part.variables}, {.begin = 0, .end = 1}, part.points}, to, &absent);
    return absent;
  }

  std::string path_;
  std::shared_ptr<const zarr::Store> store_;
  std::unique_ptr<const zarr::Array> data_;
  std::vector<Time> dates_;
  std::vector<std::string> variables_;
  std::set<Time> missing_;
  std::vector<std::int64_t> field_shape_;
  Duration frequency_{};
};

}  // namespace

std::shared_ptr<const Dataset> open_store(const std::string& path) { return std::make_shared<GriddedStore>(path); }

}  // namespace tradewind::datasets
