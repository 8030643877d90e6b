// What c10d's flight recorder holds of this process' last collectives. Thread-safe; may wait for a lock of the
// recorder.
#pragma once

#include <string>
#include <string_view>

namespace tradewind::dist {

// Of a dump in JSON, a line for each of its last 64 entries, oldest first. InternalFault for something else. Pure.
std::string record_lines(std::string_view dump);

// Those of Gloo; empty where LibTorch has none (before 2.15).
std::string gloo_record();

}  // namespace tradewind::dist
