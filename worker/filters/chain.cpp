#include "worker/filters/chain.h"

#include <utility>

#include "common/errors.h"

namespace tradewind::filters {

Chain::Chain(const std::vector<config::FilterConfig>& configs, const FilterContext& context) {
  for (const config::FilterConfig& config : configs) {
    names_.push_back(std::visit([](const auto& kind) -> std::string { return kind.kind; },
                                static_cast<const config::FilterKinds&>(config)));
    filters_.push_back(make_filter(config, context));
  }
}

void Chain::describe(fields::Outlook& outlook) const {
  for (const auto& filter : filters_) {
    filter->describe(outlook.initial);
    filter->describe(outlook.forecast);
  }
}

void Chain::apply(fields::State& state) {
  for (const auto& filter : filters_) filter->apply(state);
}

std::string Chain::why_no_restart() const {
  for (std::size_t i = 0; i < filters_.size(); ++i)
    if (!filters_[i]->keeps_nothing() && dynamic_cast<const KeepsFields*>(filters_[i].get()) == nullptr)
      return "the post-processor `" + names_[i] + "` does not say that it can be gone on with";
  return {};
}

Kept Chain::kept() const {
  Kept kept;
  for (const auto& filter : filters_) {
    const auto* keeps = dynamic_cast<const KeepsFields*>(filter.get());
    kept.push_back(keeps == nullptr ? std::map<std::string, at::Tensor>() : keeps->kept());
  }
  return kept;
}

void Chain::take_up(Kept kept) {
  if (kept.size() != filters_.size())
    throw InternalFault("what " + std::to_string(kept.size()) + " filters have kept, for " +
                        std::to_string(filters_.size()));
  for (std::size_t i = 0; i < filters_.size(); ++i)
    if (auto* keeps = dynamic_cast<KeepsFields*>(filters_[i].get())) keeps->take_up(std::move(kept[i]));
}

}  // namespace tradewind::filters
