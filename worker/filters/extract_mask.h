// Post-processor extract_mask: the points where a mask is true, or false; or as many from the beginning.
#pragma once

#include <vector>

#include "worker/filters/extract.h"

namespace tradewind::filters {

class ExtractMask : public Extract {
 public:
  ExtractMask(const config::ExtractMask& config, const FilterContext& context);

 protected:
  void check(std::int64_t points) const override;
  std::vector<std::int64_t> picked(const dist::RowRange& rows, std::int64_t points) const override;

 private:
  config::ExtractMask config_;
  std::vector<bool> mask_;
  std::int64_t count_ = 0;  // of true ones
};

}  // namespace tradewind::filters
