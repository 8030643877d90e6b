// Rows of the table behind known.h.
#pragma once

#include <string_view>
#include <vector>

namespace tradewind::checkpoint {

struct KnownClass {
  using Words = std::vector<std::string_view>;
  std::string_view name;
  Words used;                // read by a reader of this folder
  Words ignored;             // without effect on a forecast
  Words node_prefixes = {};  // used buffers whose names go on with a node set's name
};

// Classes that work on variables: pre-processing, boundings, residual connections.
const std::vector<KnownClass>& known_variable_classes();

}  // namespace tradewind::checkpoint
