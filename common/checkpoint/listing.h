// Lists of names in error texts and reports. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace tradewind::checkpoint {

// Appends `name`, after a separator when there is something before.
inline void add_to_list(std::string& list, std::string_view name, std::string_view separator = ", ") {
  if (!list.empty()) list.append(separator);
  list.append(name);
}

template <class Range>
std::string listed(const Range& names, std::string_view separator = ", ") {
  std::string list;
  for (const auto& name : names) add_to_list(list, name, separator);
  return list;
}

}  // namespace tradewind::checkpoint
