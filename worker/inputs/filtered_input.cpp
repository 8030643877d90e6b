#include "worker/inputs/filtered_input.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "common/errors.h"

namespace tradewind::inputs {
namespace {

constexpr std::size_t unchanged_at_once = 32, changed_at_once = 8;  // variables: bounds what is held beyond the result

// A sum that does not depend on how its parts are shared out, as far as a double can tell.
struct ExactSum {
  double high = 0, low = 0;
  void add(double value) {
    const double sum = high + value;
    low += std::abs(high) >= std::abs(value) ? (high - sum) + value : (value - sum) + high;
    high = sum;
  }
};

}  // namespace

struct FilteredInput::Request {
  const std::vector<std::string>& variables;
  const std::vector<Time>& dates;
  const dist::RowRange& rows;
  std::vector<ListedField> listed;
  std::vector<std::vector<filters::Field>> chosen;  // of each variable, at each date; without values
};

FilteredInput::FilteredInput(std::unique_ptr<Input> input, const std::vector<config::PreProcessor>& configs,
                             const InputContext& context)
    : input_(std::move(input)), communicator_(context.communicator), means_something_(configs.size()) {
  for (const config::PreProcessor& config : configs) {
    if (const auto* forward = std::get_if<config::ForwardTransform>(&config))
      steps_.emplace_back(filters::Transform(forward->transform, false, forward->at,
                                             {context.metadata, context.communicator.rank(), {}}));
    else
      steps_.emplace_back(Mean{std::get<config::NoMissingValues>(config).at});
  }
}

std::string FilteredInput::origin_of(const std::string& variable) const {
  const auto known = origins_.find(variable);
  return known == origins_.end() ? variable : known->second;
}

std::vector<std::string> FilteredInput::take_warnings() {
  std::vector<std::string> warnings = input_->take_warnings();
  if (!described_ || std::exchange(warned_, true) || communicator_.rank() != 0) return warnings;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (means_something_[i]) continue;
    const config::Origin& at = std::visit(
        [](const auto& step) -> const config::Origin& {
          if constexpr (requires { step.at(); })
            return step.at();
          else
            return step.at;
        },
        steps_[i]);
    warnings.push_back(at.where + ": `" + at.key + "` changes nothing: no field of the input is what it means");
  }
  return warnings;
}

void FilteredInput::describe(filters::Fields& fields) {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    std::size_t meant = fields.size();
    if (const auto* transform = std::get_if<filters::Transform>(&steps_[i]))
      meant = transform->apply(fields, nullptr);
    else
      for (filters::Field& field : fields) field.changed = true;
    means_something_[i] = means_something_[i] || meant > 0;
  }
  described_ = true;
}

// Exactly one field per variable and date.
void FilteredInput::choose(Request& request, const filters::Fields& described) {
  std::string faults;
  std::size_t faulty = 0;
  for (const std::string& variable : request.variables) {
    auto& fields = request.chosen.emplace_back();
    for (const Time date : request.dates) {
      std::size_t count = 0;
      for (const filters::Field& field : described) {
        if (field.variable != variable || field.valid != date) continue;
        if (++count == 1) fields.push_back(field);
      }
      if (count == 1) continue;
      if (++faulty <= 20)
        faults += "\n  " + variable + "  " + iso_date(date) + "  " +
                  (count == 0 ? "missing" : std::to_string(count) + " fields");
    }
  }
  if (faulty > 20) faults += "\n  and " + std::to_string(faulty - 20) + " more";
  if (faulty > 0) {
    std::set<std::string> names;
    for (const filters::Field& field : described) names.insert(field.variable);
    std::string others;
    for (const std::string& name : names) others += (others.empty() ? "" : ", ") + name;
    throw UserError("after the pre-processors there must be exactly one field per variable and date:" + faults,
                    "pre_processors", "check the input and the filters' names; there are " + others);
  }
  for (std::size_t i = 0; i < request.variables.size(); ++i)
    origins_[request.variables[i]] = request.listed[request.chosen[i].back().of.front()].variable;
}

at::Tensor FilteredInput::read(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                               const dist::RowRange& rows) {
  if (variables.empty() || dates.empty()) return input_->read(variables, dates, rows);
  Request request{variables, dates, rows, input_->list(variables, dates), {}};
  if (request.listed.empty()) return input_->read(variables, dates, rows);  // which says what there is
  filters::Fields fields;
  for (std::size_t i = 0; i < request.listed.size(); ++i) {
    const ListedField& listed = request.listed[i];
    fields.push_back({.variable = listed.variable, .param = listed.param, .level = listed.level});
    fields.back().valid = listed.date;
    fields.back().of = {i};
  }
  describe(fields);
  choose(request, fields);
  at::Tensor result = at::empty(
      {static_cast<std::int64_t>(dates.size()), static_cast<std::int64_t>(variables.size()), rows.size()}, at::kFloat);
  read_unchanged(request, result);
  read_changed(request, result);
  return result.transpose(1, 2);
}

void FilteredInput::read_unchanged(const Request& request, at::Tensor& result) {
  std::vector<std::string> names;
  std::vector<std::int64_t> places;
  const auto read_them = [&] {
    if (names.empty()) return;
    const at::Tensor part = input_->read(names, request.dates, request.rows);
    for (std::size_t i = 0; i < places.size(); ++i)
      result.select(1, places[i]).copy_(part.select(2, static_cast<std::int64_t>(i)));
    names.clear();
    places.clear();
  };
  for (std::size_t i = 0; i < request.variables.size(); ++i) {
    if (std::any_of(request.chosen[i].begin(), request.chosen[i].end(),
                    [](const auto& field) { return field.changed; }))
      continue;
    names.push_back(request.listed[request.chosen[i].front().of.front()].variable);
    places.push_back(static_cast<std::int64_t>(i));
    if (names.size() == unchanged_at_once) read_them();
  }
  read_them();
}

void FilteredInput::read_changed(const Request& request, at::Tensor& result) {
  std::vector<std::size_t> changed;
  for (std::size_t i = 0; i < request.variables.size(); ++i)
    if (std::any_of(request.chosen[i].begin(), request.chosen[i].end(),
                    [](const auto& field) { return field.changed; }))
      changed.push_back(i);
  if (changed.empty()) return;
  const fields::Rows grid = grid_of(request.rows);
  for (std::size_t first = 0; first < changed.size(); first += changed_at_once) {
    const std::size_t last = std::min(first + changed_at_once, changed.size());
    std::set<std::string> names;  // at every date: what a mask needs at one only is read at all
    std::set<std::size_t> needed;
    for (std::size_t i = first; i < last; ++i)
      for (const filters::Field& field : request.chosen[changed[i]])
        for (const std::size_t of : field.of) {
          needed.insert(of);
          names.insert(request.listed[of].variable);
        }
    const std::vector<std::string> list(names.begin(), names.end());
    const at::Tensor read = input_->read_double(list, request.dates, request.rows);  // (dates, rows, names)
    filters::Fields fields;
    for (const std::size_t of : needed) {
      const ListedField& listed = request.listed[of];
      const auto date = std::find(request.dates.begin(), request.dates.end(), listed.date) - request.dates.begin();
      const auto name = std::find(list.begin(), list.end(), listed.variable) - list.begin();
      fields.push_back({.variable = listed.variable, .param = listed.param, .level = listed.level});
      fields.back().valid = listed.date;
      fields.back().values = read[date].select(1, name).contiguous();
    }
    apply(fields, grid);
    for (std::size_t i = first; i < last; ++i)
      for (std::size_t date = 0; date < request.dates.size(); ++date) {
        const auto made = std::find_if(fields.begin(), fields.end(), [&](const filters::Field& field) {
          return field.variable == request.variables[changed[i]] && field.valid == request.dates[date];
        });
        if (made == fields.end()) throw InternalFault("a filter that does not make what it said", "pre_processors");
        result.select(0, static_cast<std::int64_t>(date))
            .select(0, static_cast<std::int64_t>(changed[i]))
            .copy_(made->values);
      }
  }
}

void FilteredInput::apply(filters::Fields& fields, const fields::Rows& grid) {
  for (const Step& step : steps_) {
    if (const auto* transform = std::get_if<filters::Transform>(&step))
      transform->apply_to_some(fields, grid);
    else
      fill_gaps(fields);
  }
}

// Missing values become the mean of their field's others, over all ranks.
void FilteredInput::fill_gaps(filters::Fields& fields) {
  const auto count = static_cast<std::int64_t>(fields.size());
  at::Tensor sums = at::zeros({1, count * 3}, at::kDouble);
  auto* to = sums.mutable_data_ptr<double>();
  for (const filters::Field& field : fields) {
    ExactSum sum;
    double values = 0;
    const auto* value = field.values.const_data_ptr<double>();
    for (std::int64_t row = 0; row < field.values.numel(); ++row) {
      if (std::isnan(value[row])) continue;
      sum.add(value[row]);
      ++values;
    }
    *to++ = sum.high;
    *to++ = sum.low;
    *to++ = values;
  }
  const at::Tensor all = communicator_.all_gather(
      sums, std::vector<std::int64_t>(static_cast<std::size_t>(communicator_.size()), 1), "input.means");
  for (std::int64_t i = 0; i < count; ++i) {
    ExactSum sum;
    double values = 0;
    for (std::int64_t rank = 0; rank < all.size(0); ++rank) {
      const auto* of = all.const_data_ptr<double>() + (rank * count + i) * 3;
      sum.add(of[0]);
      sum.add(of[1]);
      values += of[2];
    }
    if (values == 0) continue;
    at::Tensor& field = fields[static_cast<std::size_t>(i)].values;
    field = field.masked_fill(field.isnan(), (sum.high + sum.low) / values);
  }
}

// Every rank's rows: a mask is of the whole grid.
fields::Rows FilteredInput::grid_of(const dist::RowRange& rows) {
  const at::Tensor ranges = communicator_.all_gather(
      at::tensor({rows.begin, rows.end}, at::kLong).view({1, 2}),
      std::vector<std::int64_t>(static_cast<std::size_t>(communicator_.size()), 1), "input.rows");
  std::vector<std::int64_t> counts;
  std::int64_t end = 0;
  for (std::int64_t rank = 0; rank < ranges.size(0); ++rank) {
    const auto* range = ranges.const_data_ptr<std::int64_t>() + 2 * rank;
    if (range[0] != end) throw InternalFault("filters of an input on rows that are no grid's", "pre_processors");
    end = range[1];
    counts.push_back(range[1] - range[0]);
  }
  return fields::Rows(std::move(counts));
}

}  // namespace tradewind::inputs
