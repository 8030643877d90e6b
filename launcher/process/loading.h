// Why a worker could not be loaded, when it ended before its first word: most often LibTorch is another than the one it
// was built for. Runs two short programs; call after such an end only. Thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace tradewind::launcher {

// What such a line begins with.
inline constexpr std::string_view other_libtorch = "LibTorch ";

// `LibTorch 2.14.0 was found (PATH), but the worker was built for LibTorch 2.15.0`; empty when it is the same, or
// cannot be told. `variables`: the worker's environment.
std::string loading_trouble(const std::string& worker, const std::map<std::string, std::string>& variables);

// What a program that this one starts anew prints of a library: `2.15.0`. It loads the library, and may fall.
inline constexpr std::string_view version_option = "--libtorch-version-of";
int print_libtorch_version(const char* path);

}  // namespace tradewind::launcher
