#include "common/config/nodes/yaml_scalar.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string_view>

namespace tradewind::config {
namespace {

bool one_of(const std::string& text, std::initializer_list<const char*> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::string without_underscores(std::string text) {
  std::erase(text, '_');
  return text;
}

constexpr std::string_view kDigits = "0123456789", kDigitsAnd = "0123456789_";

// Matches from the front; std::regex costs milliseconds to build and warns under sanitizers.
class Form {
 public:
  explicit Form(std::string_view text) : rest_(text) {}
  bool done() const { return rest_.empty(); }
  bool one(std::string_view set) {
    if (rest_.empty() || set.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool many(std::string_view set) {  // none or more
    while (one(set)) {
    }
    return true;
  }
  bool some(std::string_view set) { return one(set) && many(set); }
  bool word(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::string digits(std::size_t least, std::size_t most) {  // empty when there are fewer
    std::size_t count = 0;
    while (count < most && count < rest_.size() && kDigits.find(rest_[count]) != std::string_view::npos) ++count;
    if (count < least) return {};
    std::string found(rest_.substr(0, count));
    rest_.remove_prefix(count);
    return found;
  }
  bool sixties() {  // (:[0-5]?[0-9])+
    bool any = false;
    while (one(":")) {
      if (rest_.size() > 1 && kDigits.find(rest_[1]) != std::string_view::npos && !one("012345")) return false;
      if (!one(kDigits)) return false;
      any = true;
    }
    return any;
  }

 private:
  std::string_view rest_;
};

std::string two_digits(const std::string& digits) { return digits.size() == 1 ? "0" + digits : digits; }

bool is_integer(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  Form form(text);
  if (form.word("0b")) return form.some("01_") && form.done();
  if (form.word("0x")) return form.some("0123456789abcdefABCDEF_") && form.done();
  if (form.one("0")) return form.many("01234567_") && form.done();
  if (!form.one("123456789") || !form.many(kDigitsAnd)) return false;
  return form.done() || (form.sixties() && form.done());
}

bool exponent(Form& form, bool sign_needed) {
  const bool sign = form.one("-+");
  return (sign || !sign_needed) && form.some(kDigits) && form.done();
}

bool is_real(std::string_view text) {
  if (one_of(std::string(text), {".nan", ".NaN", ".NAN"})) return true;
  Form unsigned_form(text);
  if (unsigned_form.one(".") && unsigned_form.one(kDigits) && unsigned_form.many(kDigitsAnd)) {
    return unsigned_form.done() || (unsigned_form.one("eE") && exponent(unsigned_form, true));
  }
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (one_of(std::string(text), {".inf", ".Inf", ".INF"})) return true;
  Form form(text);
  if (!form.one(kDigits) || !form.many(kDigitsAnd)) return false;
  if (form.one("eE")) return exponent(form, false);
  if (form.sixties()) return form.one(".") && form.many(kDigitsAnd) && form.done();
  if (!form.one(".") || !form.many(kDigitsAnd)) return false;
  return form.done() || (form.one("eE") && exponent(form, false));
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
  if (is_real(text)) return real(text);
  if (is_integer(text)) return integer(text);
  return text;
}

std::string canonical_timestamp(const std::string& text) {
  Form form(text);
  const std::string year = form.digits(4, 4);
  if (year.empty() || !form.one("-")) return text;
  const std::string month = form.digits(1, 2);
  if (month.empty() || !form.one("-")) return text;
  const std::string day = form.digits(1, 2);
  if (day.empty() || !(form.one("Tt") || form.some(" \t"))) return text;
  const std::string hour = form.digits(1, 2);
  if (hour.empty() || !form.one(":")) return text;
  const std::string minute = form.digits(2, 2);
  if (minute.empty() || !form.one(":")) return text;
  const std::string second = form.digits(2, 2);
  if (second.empty()) return text;
  std::string fraction;
  if (form.one(".")) fraction = form.digits(0, text.size());
  form.many(" \t");
  std::string zone;
  if (form.one("Z")) {
    zone = "+00:00";
  } else if (!form.done()) {
    const std::string sign = form.one("+") ? "+" : form.one("-") ? "-" : "";
    const std::string hours = form.digits(1, 2);
    const std::string minutes = form.one(":") ? form.digits(2, 2) : "00";
    if (sign.empty() || hours.empty() || minutes.empty()) return text;
    zone = sign + two_digits(hours) + ":" + minutes;
  }
  if (!form.done()) return text;
  fraction.resize(6, '0');
  if (fraction == "000000") fraction.clear();
  return year + "-" + two_digits(month) + "-" + two_digits(day) + " " + two_digits(hour) + ":" + minute + ":" + second +
         (fraction.empty() ? "" : "." + fraction) + zone;
}

}  // namespace tradewind::config
