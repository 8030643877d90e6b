// Which variable comes from where: the roles the checkpoint's metadata gives, as the forecast uses them. Names are in
// the metadata's variable_order, columns are those of the model input. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/checkpoint/metadata.h"

namespace tradewind::runner {

struct Group {
  std::vector<std::string> names;
  std::vector<std::int64_t> columns;  // of the model input, pairwise with names
  bool empty() const { return names.empty(); }
};

struct Roles {
  Group prognostic;         // read at the start, then predicted
  Group constant;           // read once
  Group dynamic;            // read for every date
  Group computed_constant;  // from position alone
  Group computed_dynamic;   // from position and date
};

// Throws UserError when a column of the model input has no role.
Roles assign_roles(const checkpoint::Metadata& metadata);

}  // namespace tradewind::runner
