// Which precision the model computes in: the config's, else the checkpoint's, else f16.
#pragma once

#include <optional>

#include "common/checkpoint/metadata.h"
#include "common/config/run_config.h"
#include "worker/runner/reporter.h"

namespace tradewind::runner {

// Throws UserError for a precision of the checkpoint that has no counterpart.
config::Precision choose_precision(const std::optional<config::Precision>& configured,
                                   const checkpoint::Metadata& metadata, Reporter& reporter);

// Of the name that a command was given. UserError when it is none.
config::Precision precision_named(const std::string& name);

}  // namespace tradewind::runner
