#include "common/printable.h"

#include <cstddef>

namespace tradewind {
namespace {

void add_escaped(std::string& text, unsigned char byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  text += "\\x";
  text += digits[byte >> 4U];
  text += digits[byte & 15U];
}

// Bytes of the well-formed UTF-8 sequence that begins there (Unicode, table 3-7); 0 when none does.
std::size_t sequence_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(at), second = byte(at + 1);
  const auto follows = [&](std::size_t i) { return byte(i) >= 0x80 && byte(i) <= 0xBF; };
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(at + 1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80, high = first == 0xED ? 0x9F : 0xBF;
    return second >= low && second <= high && follows(at + 2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80, high = first == 0xF4 ? 0x8F : 0xBF;
    return second >= low && second <= high && follows(at + 2) && follows(at + 3) ? 4 : 0;
  }
  return 0;
}

std::string escaped(std::string_view text, bool one_line) {
  std::string safe;
  safe.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const std::size_t length = sequence_at(text, at);
    const bool allowed = byte == '\t' || (byte == '\n' && !one_line);
    const bool control = (byte < 0x20 && !allowed) || byte == 0x7F ||
                         (length == 2 && byte == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0);
    const std::size_t taken = length == 0 ? 1 : length;
    for (std::size_t i = at; i < at + taken; ++i) {
      if (control || length == 0)
        add_escaped(safe, static_cast<unsigned char>(text[i]));
      else
        safe += text[i];
    }
    at += taken;
  }
  return safe;
}

}  // namespace

std::string printable(std::string_view text) { return escaped(text, false); }
std::string printable_line(std::string_view text) { return escaped(text, true); }

}  // namespace tradewind
