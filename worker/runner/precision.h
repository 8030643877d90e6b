// Which precision the model computes in: the config's, else the checkpoint's, else f16.
#pragma once

#include <optional>

#include "common/checkpoint/metadata.h"
#include "common/precision.h"
#include "worker/report/reporter.h"

namespace tradewind::runner {

// Throws UserError for a precision of the checkpoint that has no counterpart.
Precision choose_precision(const std::optional<Precision>& configured, const checkpoint::Metadata& metadata,
                           report::Reporter& reporter);

// Of the name that a command was given. UserError when it is none.
Precision precision_named(const std::string& name);

}  // namespace tradewind::runner
