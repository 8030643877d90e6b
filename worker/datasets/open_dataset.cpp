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

  Chosen take() { return std::move(chosen_); }

 private:
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
  return choose(std::move(dataset), choice.take());
}

}  // namespace tradewind::datasets
