#include "common/config/yaml_scalar.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <regex>
#include <stdexcept>

namespace tradewind::config {
namespace {

bool one_of(const std::string& text, std::initializer_list<const char*> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::string without_underscores(std::string text) {
  std::erase(text, '_');
  return text;
}

const std::regex& integer_form() {
  static const std::regex form(
      "[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+",
      std::regex::optimize);
  return form;
}

const std::regex& real_form() {
  static const std::regex form(
      "[-+]?[0-9][0-9_]*\\.[0-9_]*([eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+|\\.[0-9][0-9_]*([eE][-+][0-9]+)?|"
      "[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\\.[0-9_]*|[-+]?\\.(inf|Inf|INF)|\\.(nan|NaN|NAN)",
      std::regex::optimize);
  return form;
}

// Base 60, most significant part first: 1:30 is 90.
template <typename Number, typename Read>
Number sexagesimal(const std::string& text, Read read) {
  Number total = 0;
  std::size_t start = 0;
  while (true) {
    const std::size_t colon = text.find(':', start);
    total = total * 60 + read(text.substr(start, colon - start));
    if (colon == std::string::npos) return total;
    start = colon + 1;
  }
}

Json integer(std::string text) {
  text = without_underscores(text);
  bool negative = false;
  if (text[0] == '-' || text[0] == '+') {
    negative = text[0] == '-';
    text.erase(0, 1);
  }
  const auto read = [](const std::string& digits, int base) -> std::int64_t {
    if (digits.empty()) return 0;
    return std::stoll(digits, nullptr, base);
  };
  std::int64_t value = 0;
  if (text.starts_with("0b")) {
    value = read(text.substr(2), 2);
  } else if (text.starts_with("0x")) {
    value = read(text.substr(2), 16);
  } else if (text.find(':') != std::string::npos) {
    if (text.size() > 18) throw std::out_of_range("sexagesimal");
    value = sexagesimal<std::int64_t>(text, [&](const std::string& part) { return read(part, 10); });
  } else {
    value = read(text, text[0] == '0' ? 8 : 10);
  }
  return negative ? -value : value;
}

Json real(std::string text) {
  text = without_underscores(text);
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  bool negative = false;
  if (text[0] == '-' || text[0] == '+') {
    negative = text[0] == '-';
    text.erase(0, 1);
  }
  double value = 0;
  if (text == ".inf") {
    value = std::numeric_limits<double>::infinity();
  } else if (text == ".nan") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else {
    value = sexagesimal<double>(text, [](const std::string& part) { return std::strtod(part.c_str(), nullptr); });
  }
  return negative ? -value : value;
}

}  // namespace

Json resolve_plain(const std::string& text) {
  if (one_of(text, {"", "~", "null", "Null", "NULL"})) return nullptr;
  if (one_of(text, {"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})) return true;
  if (one_of(text, {"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})) return false;
  // Numbers start so and are short; std::regex must not see long text, on which it recurses.
  const bool numeric_start =
      std::isdigit(static_cast<unsigned char>(text[0])) != 0 || text[0] == '-' || text[0] == '+' || text[0] == '.';
  if (!numeric_start || text.size() > 200) return text;
  if (std::regex_match(text, real_form())) return real(text);
  if (std::regex_match(text, integer_form())) return integer(text);
  return text;
}

std::string canonical_timestamp(const std::string& text) {
  static const std::regex form(
      "([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt]|[ \\t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\\.([0-9]*))?"
      "(?:[ \\t]*(Z|([-+])([0-9]{1,2})(?::([0-9]{2}))?))?",
      std::regex::optimize);
  std::smatch part;
  if (text.size() > 100 || !std::regex_match(text, part, form)) return text;
  const auto two = [](const std::string& digits) { return digits.size() == 1 ? "0" + digits : digits; };
  std::string canonical = part.str(1) + "-" + two(part.str(2)) + "-" + two(part.str(3)) + " " + two(part.str(4)) + ":" +
                          part.str(5) + ":" + part.str(6);
  std::string fraction = part.str(7).substr(0, 6);
  fraction.resize(6, '0');
  if (fraction != "000000") canonical += "." + fraction;
  if (part.str(8) == "Z") return canonical + "+00:00";
  if (part[9].matched) {
    canonical += part.str(9) + two(part.str(10)) + ":" + (part[11].matched ? part.str(11) : "00");
  }
  return canonical;
}

}  // namespace tradewind::config
