// Filters one after another, as a configuration lists them. Not thread-safe.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "worker/filters/filter.h"

namespace tradewind::filters {

// What filters keep from step to step, of each filter by variable; nothing of one that keeps nothing.
using Kept = std::vector<std::map<std::string, at::Tensor>>;

class Chain {
 public:
  Chain(const std::vector<config::FilterConfig>& configs, const FilterContext& context);
  bool empty() const { return filters_.empty(); }
  std::size_t size() const { return filters_.size(); }

  void describe(fields::Outlook& outlook) const;
  void apply(fields::State& state);

  // Why the chain cannot be gone on with after an interruption; empty: it can.
  std::string why_no_restart() const;
  Kept kept() const;        // one entry per filter
  void take_up(Kept kept);  // the same; InternalFault for another number of entries

 private:
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<Filter>> filters_;
};

}  // namespace tradewind::filters
