// What outputs are told of variables: the run configuration's typed_variables in place of the checkpoint's entries, as
// in the reference; a name that the checkpoint has not is a variable from then on. Pure. Errors: UserError naming the
// entry.
#pragma once

#include "common/checkpoint/metadata.h"

namespace tradewind::checkpoint {

// `typed`: tables by name.
Metadata with_typed_variables(Metadata metadata, const Json& typed);

}  // namespace tradewind::checkpoint
