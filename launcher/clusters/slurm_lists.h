// Slurm's compressed lists. Parsed here, since scontrol is missing in containers and hangs without its controller.
// Pure.
#pragma once

#include <string>
#include <vector>

namespace tradewind::launcher {

// `n[001-003,007],gpu-[1-2]-[03-04]` -> n001, n002, n003, n007, gpu-1-03, ... in Slurm's order.
// UserError naming `variable` for what is no such list, or holds more than a million names.
std::vector<std::string> expand_hosts(const std::string& list, const std::string& variable);

// `2(x2),1` -> 2, 2, 1. UserError likewise.
std::vector<int> expand_counts(const std::string& list, const std::string& variable);

}  // namespace tradewind::launcher
