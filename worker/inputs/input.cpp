#include "worker/inputs/input.h"

#include "worker/inputs/dummy_input.h"
#include "worker/inputs/grib_input.h"

namespace tradewind::inputs {

std::unique_ptr<Input> make_input(const config::InputConfig& config, const checkpoint::Metadata& metadata,
                                  dist::Communicator& communicator) {
  if (const auto* grib = std::get_if<config::GribInputConfig>(&config))
    return std::make_unique<GribInput>(*grib, metadata, communicator);
  if (std::holds_alternative<config::DummyInputConfig>(config)) return std::make_unique<DummyInput>(metadata);
  return std::make_unique<EmptyInput>();
}

}  // namespace tradewind::inputs
