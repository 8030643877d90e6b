// The text forms of pickle protocol 0 that later protocols still allow, and UTF-8 as Python writes it.
// All return nothing when the text is malformed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tradewind::checkpoint {

std::optional<std::int64_t> parse_int(std::string_view text);
std::optional<double> parse_float(std::string_view text);
// A quoted string as Python's repr writes bytes: 'a\x00\n'.
std::optional<std::string> unquote(std::string_view text);
// Python's raw-unicode-escape (only \u and \U with their digits are escapes, other bytes are Latin-1), as UTF-8.
std::optional<std::string> raw_unicode(std::string_view text);
// The bytes whose Latin-1 reading is this UTF-8 text.
std::optional<std::string> latin1_bytes(std::string_view utf8);
void append_utf8(std::string& text, std::uint32_t code);

}  // namespace tradewind::checkpoint
