#include "worker/outputs/output.h"

#include "worker/outputs/grib_output.h"
#include "worker/outputs/printer.h"

namespace tradewind::outputs {

std::unique_ptr<Output> make_output(const config::OutputConfig& config, const OutputContext& context,
                                    dist::Communicator& communicator) {
  if (const auto* grib = std::get_if<config::GribOutputConfig>(&config))
    return std::make_unique<GribOutput>(*grib, context, communicator);
  if (const auto* printer = std::get_if<config::PrinterOutputConfig>(&config))
    return std::make_unique<Printer>(*printer, context, communicator);
  return std::make_unique<NoOutput>();
}

}  // namespace tradewind::outputs
