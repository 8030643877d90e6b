// Attributes of the nodes of a tree, one level below tree.h: what an object holds, by name, for the checks that must
// see everything (known.h) or look for a thing under several paths (paths.h). Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/checkpoint/tree.h"

namespace tradewind::checkpoint {

// Attributes, parameters, buffers and modules of an object, or the entries of a dict with text keys; in stored order.
std::vector<std::pair<std::string, Node>> attributes_of(const Node& node);
// Like Node::find, but never throws: absent for values that have no attributes.
std::optional<Node> find_attribute(const Node& node, std::string_view name);
// Modules of a ModuleList or Sequential, in order; UserError when one is missing (their names count from 0).
std::vector<Node> modules_in_order(const Node& node);
// Modules of a ModuleDict by name, in stored order.
std::vector<std::pair<std::string, Node>> modules_by_name(const Node& node);
// None, False, zero, "", an empty container, or an Identity module: what leaves a result unchanged.
bool is_off(const Node& node);

}  // namespace tradewind::checkpoint
