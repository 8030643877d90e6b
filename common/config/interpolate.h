// `${...}` in texts, as OmegaConf has it: `${a.b[0]}` from the root, `${.a}` beside, `${..a}` one up; `${oc.env:NAME}`,
// `${oc.env:NAME,default}` and `${oc.decode:text}`; nested ones inside; `\${` for a literal one. A text that is one
// interpolation takes the value, whole and typed; in a longer text the value is written as Python's str() does.
// What all of them make together is bounded. Pure function. What is wrong is noted with the place of the text: key or
// variable not there, a cycle, a bad expression; the top-level value that it is in is marked as failed.
#pragma once

#include "common/config/nodes/findings.h"
#include "common/config/nodes/node.h"
#include "common/env.h"

namespace tradewind::config {

Node interpolated(const Node& root, const Environment& environment, Findings& findings);

}  // namespace tradewind::config
