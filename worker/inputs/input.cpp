#include "worker/inputs/input.h"

#include <array>

#include "common/errors.h"
#include "worker/inputs/dummy_input.h"
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
    Maker(made<config::GribInputConfig, GribInput>), Maker(made<config::DummyInputConfig, DummyInput>),
    Maker(made<config::EmptyInputConfig, EmptyInput>), Maker(made<config::RepeatedDatesConfig, RepeatedDates>)};
static_assert(makers.size() == std::variant_size_v<config::InputKinds>);

}  // namespace

std::unique_ptr<Input> make_input(const config::InputConfig& config, const InputContext& context) {
  for (const Maker maker : makers)
    if (auto input = maker(config, context)) return input;
  throw InternalFault("an input of a kind that nobody makes");
}

std::unique_ptr<Input> make_input(const config::InputConfig& config, const checkpoint::Metadata& metadata,
                                  dist::Communicator& communicator) {
  return make_input(config, InputContext{metadata, communicator});
}

}  // namespace tradewind::inputs
