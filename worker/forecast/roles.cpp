#include "worker/forecast/roles.h"

#include <algorithm>
#include <map>
#include <set>

#include "common/errors.h"

namespace tradewind::forecast {

Roles assign_roles(const checkpoint::Metadata& metadata) {
  std::map<std::string, std::int64_t> column;
  for (std::size_t i = 0; i < metadata.input.size(); ++i) column[metadata.input[i]] = static_cast<std::int64_t>(i);
  const std::set<std::string> prognostic(metadata.prognostic.begin(), metadata.prognostic.end());
  const std::set<std::string> forcing(metadata.forcing.begin(), metadata.forcing.end());

  Roles roles;
  std::size_t assigned = 0;
  for (const std::string& name : metadata.variable_order) {
    const auto found = column.find(name);
    if (found == column.end()) continue;
    const auto described = metadata.variables.find(name);
    const bool computed = described != metadata.variables.end() && described->second.computed_forcing;
    const bool constant = described != metadata.variables.end() && described->second.constant_in_time;
    NamedColumns* one = nullptr;
    if (computed) {
      one = constant ? &roles.computed_constant : &roles.computed_dynamic;
    } else if (prognostic.contains(name)) {
      one = &roles.prognostic;
    } else if (forcing.contains(name)) {
      one = constant ? &roles.constant : &roles.dynamic;
    }
    if (one == nullptr) continue;
    one->names.push_back(name);
    one->columns.push_back(found->second);
    ++assigned;
  }
  if (assigned != metadata.input.size()) {
    std::set<std::string> missing(metadata.input.begin(), metadata.input.end());
    for (const NamedColumns* one :
         {&roles.prognostic, &roles.constant, &roles.dynamic, &roles.computed_constant, &roles.computed_dynamic}) {
      for (const std::string& name : one->names) missing.erase(name);
    }
    std::string list;
    for (const std::string& name : missing) list += (list.empty() ? "" : ", ") + name;
    throw UserError("the checkpoint's metadata gives no role to these inputs of the model: " + list,
                    "dataset " + metadata.dataset,
                    "give them one with patch_metadata (variable_types, variables_metadata)");
  }
  return roles;
}

}  // namespace tradewind::forecast
