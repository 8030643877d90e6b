// Whether the LibTorch that was loaded is the one that this program was built for: the layout of its classes is part of
// the program, and with another the first call may end in a crash. Uses none of its code but one function in C.
#pragma once

#include <cstdint>
#include <string>

namespace tradewind::worker {

// EnvironmentFault with both versions and the file that was found, unless they are the same.
void check_libtorch();

// `2.15.0` of 0x020f000000000000 (torch/headeronly/version.h); `unknown` of 0. Pure.
std::string libtorch_version(std::uint64_t abi_version);

}  // namespace tradewind::worker
