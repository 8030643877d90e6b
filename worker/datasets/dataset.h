// Fields of variables on one grid at many dates, as anemoi-datasets keeps them: what a store has, or what is made of
// one by selecting. Immutable, thread-safe. Errors: UserError naming the store.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/config/inputs/open_dataset.h"
#include "common/dates.h"
#include "worker/fields/points/points.h"
#include "worker/zarr/array.h"

namespace tradewind::datasets {

// By number; in any order.
struct Part {
  std::vector<std::int64_t> dates, variables;
  zarr::Wanted points;
};

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual const std::string& where() const = 0;        // the store
  virtual const std::vector<Time>& dates() const = 0;  // ascending
  virtual Duration frequency() const = 0;
  virtual const std::vector<std::string>& variables() const = 0;
  virtual std::int64_t points() const = 0;
  // Rows and columns of the grid, or the number of points alone where it has none.
  virtual std::vector<std::int64_t> field_shape() const = 0;
  virtual fields::Points coordinates() const = 0;  // of all points
  // Whether there is no data of a date, which must not be read then.
  virtual bool is_missing(std::int64_t date) const = 0;
  // (dates, variables, points); what is returned: how many chunks of the store are not there.
  virtual std::int64_t read(const Part& part, float* to) const = 0;
  virtual std::int64_t read(const Part& part, double* to) const = 0;
};

std::shared_ptr<const Dataset> open_store(const std::string& path);
std::shared_ptr<const Dataset> open_dataset(const config::OpenDataset& options);

// A part of another: of its dates, of its variables, which may have other names, and of its points.
struct Chosen {
  std::vector<std::int64_t> dates, variables;
  std::vector<std::string> names;  // of the variables
  Duration frequency{};
  std::optional<std::vector<std::int64_t>> points;  // none: all
  std::vector<std::int64_t> field_shape;
};
std::shared_ptr<const Dataset> choose(std::shared_ptr<const Dataset> from, Chosen chosen);

}  // namespace tradewind::datasets
