#include "worker/grib/path_pattern.h"

#include <cctype>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>

#include "common/errors.h"
#include "worker/grib/namer.h"

namespace tradewind::grib {
namespace {

// Python's format specification: [[fill]align][sign][0][width][.precision][type]
struct Format {
  char fill = ' ', align = 0, sign = '-', type = 0;
  std::size_t width = 0;
  std::optional<int> precision;
};

Format parse_format(const std::string& text) {
  Format format;
  std::size_t at = 0;
  const auto bad = [&] { return UserError("the format '" + text + "' is not one of Python's", "output.grib.path"); };
  const auto is_align = [](char c) { return c == '<' || c == '>' || c == '^' || c == '='; };
  const auto number = [&] {
    std::size_t value = 0;
    while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at]))) {
      value = value * 10 + static_cast<std::size_t>(text[at++] - '0');
      if (value > 1000) throw bad();
    }
    return value;
  };
  if (text.size() > 1 && is_align(text[1])) {
    format.fill = text[0];
    format.align = text[1];
    at = 2;
  } else if (!text.empty() && is_align(text[0])) {
    format.align = text[0];
    at = 1;
  }
  if (at < text.size() && (text[at] == '+' || text[at] == '-' || text[at] == ' ')) format.sign = text[at++];
  if (at < text.size() && text[at] == '0') {
    ++at;
    if (!format.align) {
      format.fill = '0';
      format.align = '=';
    }
  }
  format.width = number();
  if (at < text.size() && text[at] == '.') {
    ++at;
    format.precision = static_cast<int>(number());
  }
  if (at < text.size()) format.type = text[at++];
  if (at != text.size() || (format.type && !std::strchr("dsxXobeEfFgG%", format.type))) throw bad();
  return format;
}

std::string digits(const Json& value, const Format& format) {
  if (value.is_string()) {
    if (format.type && format.type != 's')
      throw UserError("text '" + value.get<std::string>() + "' does not fit the format type " + format.type,
                      "output.grib.path");
    const std::string text = value.get<std::string>();
    return format.precision ? text.substr(0, static_cast<std::size_t>(*format.precision)) : text;
  }
  if (value.is_number_integer() && (!format.type || std::strchr("dxXob", format.type))) {
    const long number = value.get<long>();
    if (!format.type || format.type == 'd') return std::to_string(number);
    std::string text;
    const unsigned base = format.type == 'b' ? 2 : format.type == 'o' ? 8 : 16;
    const std::string_view letters = format.type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    for (unsigned long rest = number < 0 ? 0UL - static_cast<unsigned long>(number)
                                         : static_cast<unsigned long>(number);
         rest || text.empty(); rest /= base)
      text.insert(text.begin(), letters[rest % base]);
    return (number < 0 ? "-" : "") + text;
  }
  if (format.type && !std::strchr("eEfFgG%", format.type))
    throw UserError("number " + value.dump() + " does not fit the format type " + format.type, "output.grib.path");
  if (!format.type && !format.precision) return value.dump();
  const double number = value.get<double>() * (format.type == '%' ? 100 : 1);
  const char letter = !format.type ? 'g' : format.type == '%' ? 'f' : format.type;
  const std::string print = std::string("%.*") + letter;
  const int precision = format.precision.value_or(6);
  const int length = std::snprintf(nullptr, 0, print.c_str(), precision, number);
  std::string text(static_cast<std::size_t>(length), '\0');
  std::snprintf(text.data(), text.size() + 1, print.c_str(), precision, number);
  return format.type == '%' ? text + "%" : text;
}

}  // namespace

std::string format_value(const Json& value, const std::string& text) {
  const Format format = parse_format(text);
  std::string body = digits(value, format);
  std::string sign;
  if (!value.is_string()) {
    if (body[0] == '-') {
      sign = "-";
      body.erase(0, 1);
    } else if (format.sign != '-') {
      sign = format.sign;
    }
  }
  const std::size_t length = sign.size() + body.size();
  if (length >= format.width) return sign + body;
  const std::size_t pad = format.width - length;
  char align = format.align ? format.align : value.is_string() ? '<' : '>';
  if (align == '=' && value.is_string()) align = '<';
  switch (align) {
    case '=':
      return sign + std::string(pad, format.fill) + body;
    case '<':
      return sign + body + std::string(pad, format.fill);
    case '^':
      return std::string(pad / 2, format.fill) + sign + body + std::string(pad - pad / 2, format.fill);
    default:
      return std::string(pad, format.fill) + sign + body;
  }
}

std::string render_path(const std::string& pattern, const Handle& message) {
  std::string path;
  std::size_t at = 0;
  while (true) {
    const std::size_t open = pattern.find('{', at), close = pattern.find('}', open);
    if (open == std::string::npos || close == std::string::npos) return path + pattern.substr(at);
    const std::string inside = pattern.substr(open + 1, close - open - 1);
    const std::size_t colon = inside.find(':');
    const std::string key = inside.substr(0, colon);
    const auto value = message.native(key);
    if (!value) throw UserError("the path asks for GRIB key " + key + ", which the message lacks", "output.grib.path");
    path += pattern.substr(at, open - at) +
            (colon == std::string::npos ? plain_text(*value) : format_value(*value, inside.substr(colon + 1)));
    at = close + 1;
  }
}

}  // namespace tradewind::grib
