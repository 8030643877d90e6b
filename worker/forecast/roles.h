// Which variable comes from where: the roles the checkpoint's metadata gives, as the forecast uses them. Names are in
// the metadata's variable_order, columns are those of the model input. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/checkpoint/metadata.h"

namespace tradewind::forecast {

struct NamedColumns {
  std::vector<std::string> names;
  std::vector<std::int64_t> columns;  // of the model input, pairwise with names
  bool empty() const { return names.empty(); }
};

struct Roles {
  NamedColumns prognostic;         // read at the start, then predicted
  NamedColumns constant;           // read once
  NamedColumns dynamic;            // read for every date
  NamedColumns computed_constant;  // from position alone
  NamedColumns computed_dynamic;   // from position and date
};

// Throws UserError when a column of the model input has no role.
Roles assign_roles(const checkpoint::Metadata& metadata);

}  // namespace tradewind::forecast
