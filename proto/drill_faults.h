// The faults that a drill knows, for the launcher which lists them and the worker of drills which lets them happen.
#pragma once

#include <array>
#include <string_view>

namespace tradewind::proto {

struct DrillFault {
  std::string_view name, about;
  std::string_view verdict;  // of report.json's `hang`; empty: none is to come
  int exit_code;
};

inline constexpr std::array drill_faults = {
    DrillFault{"kill", "the rank gets SIGKILL", "", 137},
    DrillFault{"memory", "the rank takes memory until the kernel ends it (in a limited control group)", "", 253},
    DrillFault{"segv", "the rank reads an address that is not there", "", 139},
    DrillFault{"abort", "the rank aborts", "", 134},
    DrillFault{"error", "the rank meets bad input", "", 2},
    DrillFault{"exit", "the rank leaves without a word", "", 3},
    DrillFault{"stop", "the rank is stopped by SIGSTOP", "stopped", 110},
    DrillFault{"absent", "the rank sleeps instead of coming to a collective", "missing rank", 110},
    DrillFault{"skip", "the rank leaves out one collective and goes on", "different call", 110},
    DrillFault{"operation", "the rank makes another operation than the others", "different call", 110},
    DrillFault{"dtype", "the rank sends another type of numbers", "different call", 110},
    DrillFault{"shape", "the rank sends rows of another width", "different call", 110},
    DrillFault{"split", "the rank sends to one other rank other rows than that one expects", "disagreement", 110},
    DrillFault{"loop", "the rank loops on the host", "missing rank", 110},
    DrillFault{"lock", "the rank waits for a lock that it holds", "missing rank", 110},
    DrillFault{"output", "the file system takes nothing more: the rank writes into a full pipe", "blocked in I/O", 110},
    DrillFault{"input", "the file system gives nothing: the rank reads from an empty pipe", "blocked in I/O", 110},
    DrillFault{"slow-rank", "the rank is slow, but it moves: no verdict", "", 0},
    DrillFault{"slow-first-step", "the rank's first step takes 20 s: no verdict", "", 0},
    DrillFault{"pause", "the rank is stopped for 3 s and goes on: no verdict", "", 0},
};

constexpr const DrillFault* find_drill_fault(std::string_view name) {
  for (const DrillFault& fault : drill_faults)
    if (fault.name == name) return &fault;
  return nullptr;
}

}  // namespace tradewind::proto
