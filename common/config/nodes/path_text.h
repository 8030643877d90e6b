// A path as a configuration gives it. Errors: UserError at the node.
#pragma once

#include <string>

#include "common/config/nodes/node.h"

namespace tradewind::config {

// Not empty, which is what a variable that is not set leaves, and without the character that ends a name for the
// system.
std::string as_path(const Node& node, const std::string& key);
// A text that becomes part of a path.
std::string as_path_part(const Node& node, const std::string& key);

}  // namespace tradewind::config
