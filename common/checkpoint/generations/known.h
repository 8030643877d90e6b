// What each class of a checkpoint may hold, over all generations: attributes that a reader uses, and those known to
// leave the result unchanged (training options, caches, configuration kept for reference). Anything else that is not
// off (None, False, zero, empty, Identity) is refused, so that no option of an unknown version is silently ignored.
// Pure, thread-safe.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "common/checkpoint/tree.h"
#include "common/refusals.h"

namespace tradewind::checkpoint {

// UserError naming class, attribute and path when `module` holds an attribute that its row of the table does not know,
// or is of a class without a row.
void refuse_unknown_attributes(const Node& module);

// Every class and attribute below `root` that no row knows, where a reader would have met it: of a model that is
// refused anyway, since the readers stop at the first. At most 100.
Refusals survey(const Node& root);

// UserError unless the node's class is one of `classes`; `what` as in "mapper". Names the class and lists the known
// ones.
void require_class(const Node& node, std::string_view what, std::initializer_list<std::string_view> classes);

// The names of the classes of models that have a reader, without their modules.
std::vector<std::string> known_models();

// The error for a class that no row of a table knows.
[[noreturn]] void refuse_class(const Node& node, std::string_view what, const std::string& known);

}  // namespace tradewind::checkpoint
