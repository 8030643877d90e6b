// `checkpoint: {huggingface: ...}`: the file in the local cache of the Hugging Face Hub, where the reference's download
// has put it or `hf download` does. Nothing is fetched. Layout of the cache: models--OWNER--NAME/refs/REVISION holds
// the commit whose files stand in snapshots/COMMIT (huggingface_hub, "Understand caching"). Errors: UserError with the
// command that fetches what is not there. Thread-safe.
#pragma once

#include "common/config/nodes/findings.h"
#include "common/config/nodes/node.h"
#include "common/env.h"

namespace tradewind::config {

// Whether `checkpoint` is written as a map, or as the text of one.
bool is_hub_checkpoint(const Node& checkpoint);
// The path, in place of what was written. What only counts for a download is warned of.
Node checkpoint_in_cache(const Node& checkpoint, const Environment& environment, Findings& findings);

}  // namespace tradewind::config
