#include "worker/outputs/output.h"

#include <array>

#include "common/errors.h"
#include "worker/filters/chain.h"
#include "worker/outputs/filtered.h"
#include "worker/outputs/grib_output.h"
#include "worker/outputs/netcdf_output.h"
#include "worker/outputs/no_output.h"
#include "worker/outputs/printer.h"
#include "worker/outputs/raw_output.h"
#include "worker/outputs/tee_output.h"

namespace tradewind::outputs {
namespace {

using Maker = std::unique_ptr<Output> (*)(const config::OutputConfig&, const OutputContext&, dist::Communicator&);

// nullptr: of another kind.
template <typename Config, typename Kind>
std::unique_ptr<Output> made(const config::OutputConfig& config, const OutputContext& context,
                             dist::Communicator& communicator) {
  const auto* own = std::get_if<Config>(&config);
  return own == nullptr ? nullptr : std::make_unique<Kind>(*own, context, communicator);
}

std::unique_ptr<Output> made_parallel(const config::OutputConfig& config, const OutputContext& context,
                                      dist::Communicator& communicator) {
  const auto* own = std::get_if<config::ParallelOutputConfig>(&config);
  if (own == nullptr) return nullptr;
  OutputContext split = context;
  split.writers = own->writers;
  return make_output(*own->output, split, communicator);
}

// One row per kind.
constexpr std::array makers = {
    Maker(made<config::GribOutputConfig, GribOutput>),    Maker(made<config::PrinterOutputConfig, Printer>),
    Maker(made<config::NoOutputConfig, NoOutput>),        Maker(made_parallel),
    Maker(made<config::RawOutputConfig, RawOutput>),      Maker(made<config::TeeOutputConfig, TeeOutput>),
    Maker(made<config::NetcdfOutputConfig, NetcdfOutput>)};
static_assert(makers.size() == std::variant_size_v<config::OutputKinds>);

// The filters that stand before the output itself.
const std::vector<config::FilterConfig>& filters_of(const config::OutputConfig& config) {
  const auto visit = [](const auto& kind) -> const std::vector<config::FilterConfig>& {
    static const std::vector<config::FilterConfig> none;
    if constexpr (requires { kind.common; })
      return kind.common.post_processors;
    else if constexpr (requires { kind.post_processors; })
      return kind.post_processors;
    else
      return none;
  };
  return std::visit(visit, static_cast<const config::OutputKinds&>(config));
}

}  // namespace

std::unique_ptr<Output> make_output(const config::OutputConfig& config, const OutputContext& context,
                                    dist::Communicator& communicator) {
  std::unique_ptr<Output> output;
  for (const Maker maker : makers)
    if (!output) output = maker(config, context, communicator);
  if (!output) throw InternalFault("an output of a kind that nobody makes");
  const std::vector<config::FilterConfig>& filters = filters_of(config);
  if (filters.empty()) return output;
  const bool made_of_others = std::visit(
      [](const auto& kind) {
        return requires { kind.outputs; };
      },
      static_cast<const config::OutputKinds&>(config));
  return std::make_unique<Filtered>(
      filters::Chain(filters, {context.metadata, communicator.rank(), context.archive, context.named_by}),
      std::move(output), made_of_others);
}

}  // namespace tradewind::outputs
