#include "worker/inputs/input.h"

#include <array>

#include "common/errors.h"
#include "worker/inputs/dataset_input.h"
#include "worker/inputs/dummy_input.h"
#include "worker/inputs/filtered_input.h"
#include "worker/inputs/grib_input.h"
#include "worker/inputs/repeated_dates.h"

namespace tradewind::inputs {
namespace {

using Maker = std::unique_ptr<Input> (*)(const config::InputConfig&, const InputContext&);

// nullptr: of another kind.
template <typename Config, typename Kind>
std::unique_ptr<Input> made(const config::InputConfig& config, const InputContext& context) {
  const auto* own = std::get_if<Config>(&config);
  return own == nullptr ? nullptr : std::make_unique<Kind>(*own, context);
}

// One row per kind.
constexpr std::array makers = {
    Maker(made<config::GribInputConfig, GribInput>),        Maker(made<config::DummyInputConfig, DummyInput>),
    Maker(made<config::EmptyInputConfig, EmptyInput>),      Maker(made<config::RepeatedDatesConfig, RepeatedDates>),
    Maker(made<config::DatasetInputConfig, DatasetInput>),  Maker(made<config::TestInputConfig, DatasetInput>),
    Maker(made<config::TrainingInputConfig, DatasetInput>), Maker(made<config::ValidationInputConfig, DatasetInput>)};
static_assert(makers.size() == std::variant_size_v<config::InputKinds>);

std::vector<config::PreProcessor> own_filters(const config::InputConfig& config) {
  const auto visit = [](const auto& kind) -> std::vector<config::PreProcessor> {
    if constexpr (requires { kind.pre_processors; })
      return kind.pre_processors;
    else
      return {};
  };
  return std::visit(visit, static_cast<const config::InputKinds&>(config));
}

}  // namespace

at::Tensor Input::read_double(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                              const dist::RowRange& rows) {
  return read(variables, dates, rows).to(at::kDouble);
}

std::vector<ListedField> Input::list(const std::vector<std::string>& variables, const std::vector<Time>& dates) const {
  std::vector<ListedField> listed;
  for (const std::string& variable : variables)
    for (const Time date : dates) listed.push_back({variable, variable, {}, date});
  return listed;
}

std::unique_ptr<Input> make_input(const config::InputConfig& config, const InputContext& context) {
  std::unique_ptr<Input> input;
  for (const Maker maker : makers)
    if (!input) input = maker(config, context);
  if (!input) throw InternalFault("an input of a kind that nobody makes");
  std::vector<config::PreProcessor> filters = own_filters(config);
  filters.insert(filters.end(), context.pre_processors.begin(), context.pre_processors.end());
  if (filters.empty() || !input->takes_filters() || !input->sources().empty())
    return input;  // what is made of others: they are filtered
  return std::make_unique<FilteredInput>(std::move(input), filters, context);
}

std::unique_ptr<Input> make_input(const config::InputConfig& config, const checkpoint::Metadata& metadata,
                                  dist::Communicator& communicator) {
  return make_input(config, InputContext{metadata, communicator, {}, {}});
}

}  // namespace tradewind::inputs
