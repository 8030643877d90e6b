// Post-processor extract_slice: the points that Python's slice(start, stop, step) picks.
#pragma once

#include "worker/filters/extract.h"

namespace tradewind::filters {

class ExtractSlice : public Extract {
 public:
  ExtractSlice(const config::ExtractSlice& config, const FilterContext& context);

 protected:
  std::vector<std::int64_t> picked(const dist::RowRange& rows, std::int64_t points) const override;

 private:
  config::ExtractSlice config_;
};

}  // namespace tradewind::filters
