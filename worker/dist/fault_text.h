// Short texts for errors that come out of c10d and Gloo.
#pragma once

#include <chrono>
#include <exception>
#include <string>

namespace tradewind::dist {

// The first line, without source location and backtrace.
std::string short_text(const std::exception& error);
// "0.5 s", "30 s".
std::string seconds_text(std::chrono::milliseconds duration);

}  // namespace tradewind::dist
