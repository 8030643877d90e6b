// Which variables and steps an output is to have. Pure.
#pragma once

#include <optional>
#include <string>

#include "common/checkpoint/metadata.h"
#include "common/config/outputs/output_common.h"
#include "worker/fields/state.h"

namespace tradewind::fields {

// Globs (* ? [...]) match names; a map of MARS keys matches when all its keys do, each by any of its globs.
bool is_selected(const std::optional<config::VariableSelection>& selection, const std::string& name,
                 const checkpoint::Metadata& metadata);

// Whether a state at this step is due: the initial state by its own switch, others by the output frequency.
bool is_due(const config::OutputCommon& own, bool write_initial_state, std::optional<Duration> frequency,
            Duration step);

// The error of an output to which nothing comes of all that the forecast makes.
[[noreturn]] void refuse_nothing(const config::OutputCommon& own, const Due& due, const std::string& key);

}  // namespace tradewind::fields
