// Tables whose rows begin with the name of a class (`class_name`): what a reader makes of it. Pure, thread-safe.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include "common/checkpoint/generations/known.h"
#include "common/checkpoint/listing.h"

namespace tradewind::checkpoint {

// Null when no row is of the node's class.
template <class Table>
auto find_row(const Table& table, const Node& node) -> decltype(&*std::begin(table)) {
  const std::string name = node.class_name();
  const auto row =
      std::find_if(std::begin(table), std::end(table), [&](const auto& each) { return each.class_name == name; });
  return row == std::end(table) ? nullptr : &*row;
}

template <class Table>
std::string class_names(const Table& table) {
  std::string out;
  for (const auto& row : table) add_to_list(out, row.class_name);
  return out;
}

// The row of the node's class, whose attributes are all known; UserError that lists the classes of the table (`what`
// as in "mapper"), or names the attribute.
template <class Table>
const auto& row_of(const Table& table, const Node& node, std::string_view what) {
  const auto* row = find_row(table, node);
  if (row == nullptr) refuse_class(node, what, class_names(table));
  refuse_unknown_attributes(node);
  return *row;
}

}  // namespace tradewind::checkpoint
