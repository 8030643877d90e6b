// What a plain (unquoted) scalar means in YAML 1.1, as the reference reads it: PyYAML's safe loader for null, booleans
// (yes, no, on, off), integers (binary, octal, hexadecimal, sexagesimal) and timestamps, OmegaConf's for floats
// (`1e5` is one). Pure functions, thread-safe.
#pragma once

#include <string>

#include "common/config/nodes/node.h"

namespace tradewind::config {

// The value: null, boolean, integer, real or text. Throws std::out_of_range for an integer beyond 64 bits.
Json resolve_plain(const std::string& text);
// A timestamp in the one form that the reference's round trip gives it ("2020-01-01", "2020-01-01 06:00:00",
// "2020-01-01 06:00:00+01:30"); any other text unchanged.
std::string canonical_timestamp(const std::string& text);

}  // namespace tradewind::config
