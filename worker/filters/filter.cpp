#include "worker/filters/filter.h"

#include <array>

#include "common/errors.h"
#include "worker/filters/accumulate.h"
#include "worker/filters/assign_mask.h"
#include "worker/filters/extract_mask.h"
#include "worker/filters/extract_slice.h"
#include "worker/filters/transform.h"

namespace tradewind::filters {
namespace {

using Maker = std::unique_ptr<Filter> (*)(const config::FilterConfig&, const FilterContext&);

// nullptr: of another kind.
template <typename Config, typename Kind>
std::unique_ptr<Filter> made(const config::FilterConfig& config, const FilterContext& context) {
  const auto* own = std::get_if<Config>(&config);
  return own == nullptr ? nullptr : std::make_unique<Kind>(*own, context);
}

// One row per kind.
constexpr std::array makers = {
    Maker(made<config::AccumulateFromStart, Accumulate>),   Maker(made<config::ExtractSlice, ExtractSlice>),
    Maker(made<config::ExtractMask, ExtractMask>),          Maker(made<config::AssignMask, AssignMask>),
    Maker(made<config::ForwardTransform, TransformFilter>), Maker(made<config::BackwardTransform, TransformFilter>)};
static_assert(makers.size() == std::variant_size_v<config::FilterKinds>);

}  // namespace

std::unique_ptr<Filter> make_filter(const config::FilterConfig& config, const FilterContext& context) {
  for (const Maker maker : makers)
    if (auto filter = maker(config, context)) return filter;
  throw InternalFault("a filter of a kind that nobody makes");
}

}  // namespace tradewind::filters
