#include "worker/inputs/dummy_input.h"

#include <algorithm>
#include <chrono>

#include "common/errors.h"

namespace tradewind::inputs {

double float_hash(const std::string& text, Time date) {
  constexpr std::uint64_t accuracy = 1'000'000;
  const std::string bytes = text + iso_date(date);
  std::uint64_t remainder = 0;
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte)
    remainder = (remainder * 256 + static_cast<unsigned char>(*byte)) % accuracy;
  return static_cast<double>(remainder) / static_cast<double>(accuracy);
}

DummyInput::DummyInput(const config::DummyInputConfig& /*config*/, const InputContext& context)
    : metadata_(context.metadata) {
  if (metadata_.grid_points <= 0)
    throw UserError("input dummy needs the number of grid points, which the checkpoint does not tell", "input",
                    "use input grib");
}

std::optional<Time> DummyInput::latest_date() {
  return std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
}

std::optional<GridPoints> DummyInput::grid_points(std::int64_t) {
  const std::vector<double> zeros(static_cast<std::size_t>(metadata_.grid_points), 0.0);
  return GridPoints{zeros, zeros};
}

at::Tensor DummyInput::read(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                            const dist::RowRange& rows) {
  at::Tensor values =
      at::empty({static_cast<std::int64_t>(dates.size()), static_cast<std::int64_t>(variables.size())}, at::kFloat);
  const Time first = dates.empty() ? Time{} : *std::min_element(dates.begin(), dates.end());
  float* value = values.data_ptr<float>();
  for (const Time date : dates)
    for (const auto& name : variables) {
      const auto variable = metadata_.variables.find(name);
      const bool constant = variable != metadata_.variables.end() && variable->second.constant_in_time;
      *value++ = static_cast<float>(float_hash(name, constant ? first : date));
    }
  return values.unsqueeze(1).expand({-1, rows.size(), -1}).contiguous();
}

std::vector<ListedField> DummyInput::list(const std::vector<std::string>& variables,
                                          const std::vector<Time>& dates) const {
  std::vector<ListedField> listed;
  for (const std::string& name : variables)
    for (const Time date : dates) {
      const auto variable = metadata_.variables.find(name);
      const bool known = variable != metadata_.variables.end();
      listed.push_back({name, known ? variable->second.param() : name,
                        known ? variable->second.level().value_or("") : std::string(), date});
    }
  return listed;
}

at::Tensor EmptyInput::read(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                            const dist::RowRange& rows) {
  if (!variables.empty())
    throw UserError("input empty has no fields, but the model needs " + variables.front(), "input",
                    "give an input that has them");
  return at::empty({static_cast<std::int64_t>(dates.size()), rows.size(), 0}, at::kFloat);
}

}  // namespace tradewind::inputs
