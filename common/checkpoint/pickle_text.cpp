#include "common/checkpoint/pickle_text.h"

#include <charconv>

namespace tradewind::checkpoint {
namespace {

template <class T>
std::optional<T> parse(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// `digits` hexadecimal digits at the start of `text`.
std::optional<std::uint32_t> parse_hex(std::string_view text, std::size_t digits) {
  std::uint32_t value = 0;
  if (text.size() < digits) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value, 16);
  if (error != std::errc() || end != text.data() + digits) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::int64_t> parse_int(std::string_view text) { return parse<std::int64_t>(text); }
std::optional<double> parse_float(std::string_view text) { return parse<double>(text); }

void append_utf8(std::string& text, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  const auto rest = [&](int shift) { put(0x80 | ((code >> shift) & 63)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | (code >> 6));
    return rest(0);
  }
  if (code < 0x10000) {
    put(0xe0 | (code >> 12));
    rest(6);
    return rest(0);
  }
  put(0xf0 | (code >> 18));
  rest(12);
  rest(6);
  rest(0);
}

std::optional<std::string> unquote(std::string_view text) {
  if (text.size() < 2 || text.front() != text.back() || (text.front() != '\'' && text.front() != '"'))
    return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      plain.push_back(text[i]);
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    switch (text[i]) {
      case 'n':
        plain.push_back('\n');
        break;
      case 'r':
        plain.push_back('\r');
        break;
      case 't':
        plain.push_back('\t');
        break;
      case '\\':
      case '\'':
      case '"':
        plain.push_back(text[i]);
        break;
      case 'x': {
        const auto code = parse_hex(text.substr(i + 1), 2);
        if (!code) return std::nullopt;
        plain.push_back(static_cast<char>(*code));
        i += 2;
        break;
      }
      default:
        return std::nullopt;
    }
  }
  return plain;
}

std::optional<std::string> raw_unicode(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == 'u' || text[i + 1] == 'U');
    if (!escape) {
      append_utf8(plain, static_cast<unsigned char>(text[i]));
      continue;
    }
    const std::size_t digits = text[i + 1] == 'u' ? 4 : 8;
    const auto code = parse_hex(text.substr(i + 2), digits);
    if (!code || *code > 0x10ffff) return std::nullopt;
    append_utf8(plain, *code);
    i += 1 + digits;
  }
  return plain;
}

std::optional<std::string> latin1_bytes(std::string_view utf8) {
  std::string bytes;
  bytes.reserve(utf8.size());
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    if (lead < 0x80) {
      bytes.push_back(utf8[i]);
      continue;
    }
    // Two bytes, lead 0xc2 or 0xc3, are all that code points 128 to 255 need.
    if ((lead & 0xfe) != 0xc2 || i + 1 == utf8.size() || (utf8[i + 1] & 0xc0) != 0x80) return std::nullopt;
    bytes.push_back(static_cast<char>((lead & 3) << 6 | (utf8[++i] & 0x3f)));
  }
  return bytes;
}

}  // namespace tradewind::checkpoint
