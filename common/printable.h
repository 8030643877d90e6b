// Text of somebody else (a file, a host, a worker) for a terminal, which obeys control characters. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tradewind {

// Control characters (C0, DEL and, in UTF-8, C1) but newline and tab become \x1b and the like; bytes that are no UTF-8
// likewise. Everything else stays as it is.
std::string printable(std::string_view text);
// The same of a text that is one line: newlines too.
std::string printable_line(std::string_view text);

}  // namespace tradewind
