#include "common/dates.h"

#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <optional>

#include "common/errors.h"

namespace tradewind {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr long long most_seconds = 999999999LL * 86400;  // what the reference's timedelta holds

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Reads from the front; every method leaves the text as it was when it finds nothing.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  bool done() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  char take() {
    const char c = peek();
    rest_.remove_prefix(1);
    return c;
  }
  bool literal(std::string_view word) {
    if (rest_.substr(0, word.size()) != word) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  void spaces() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }
  std::size_t digits_ahead() const {
    std::size_t n = 0;
    while (n < rest_.size() && is_digit(rest_[n])) ++n;
    return n;
  }
  // Between `least` and `most` digits; 18 at most, so that nothing overflows.
  std::optional<long long> number(std::size_t least, std::size_t most) {
    const std::size_t n = std::min(digits_ahead(), most);
    if (n < least || n > 18) return std::nullopt;
    long long value = 0;
    for (std::size_t i = 0; i < n; ++i) value = value * 10 + (rest_[i] - '0');
    rest_.remove_prefix(n);
    return value;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

[[noreturn]] void bad_date(std::string_view text, const std::string& why) {
  throw UserError("cannot read '" + std::string(text) + "' as a date: " + why, {},
                  "write it as YYYY-MM-DD, YYYYMMDD or YYYY-MM-DDTHH:MM:SS, all UTC");
}

std::optional<Time> day_start(long long year, long long month, long long day) {
  using std::chrono::year_month_day;
  if (year < 1 || year > 9999) return std::nullopt;
  const year_month_day date{std::chrono::year(static_cast<int>(year)), std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return Time(std::chrono::sys_days(date));
}

// `Z`, `UTC`, `+HH`, `+HHMM`, `+HH:MM`: what must be subtracted to be in UTC.
std::optional<seconds> offset(Scanner& scan) {
  if (scan.literal("Z") || scan.literal("z") || scan.literal("UTC")) return seconds(0);
  const char sign = scan.peek();
  if (sign != '+' && sign != '-') return std::nullopt;
  scan.take();
  const auto hour = scan.number(2, 2);
  if (!hour || *hour > 23) return std::nullopt;
  scan.literal(":");
  const auto minute = scan.done() ? std::optional<long long>(0) : scan.number(2, 2);
  if (!minute || *minute > 59) return std::nullopt;
  const seconds value = hours(*hour) + minutes(*minute);
  return sign == '-' ? -value : value;
}

// HH, HH:MM, HH:MM:SS, HHMM, HHMMSS, 24:00 for the next midnight; `lenient`: also H:MM and H:M.
seconds time_of_day(Scanner& scan, bool lenient, std::string_view text) {
  long long hour = 0, minute = 0, second = 0;
  const std::size_t digits = scan.digits_ahead();
  if (digits == 4 || digits == 6) {
    hour = *scan.number(2, 2), minute = *scan.number(2, 2);
    if (digits == 6) second = *scan.number(2, 2);
  } else {
    if (digits == 0 || digits > 2) bad_date(text, "the time of day is not HH:MM or HHMM");
    hour = *scan.number(1, 2);
    const std::size_t least = lenient ? 1 : 2;
    const bool more = scan.literal(":");
    if (digits == 1 && !(lenient && more)) bad_date(text, "the hour needs two digits");
    if (more) {
      const auto found = scan.number(least, 2);
      if (!found) bad_date(text, "the minutes are missing");
      minute = *found;
      if (scan.literal(":")) {
        const auto seconds_found = scan.number(least, 2);
        if (!seconds_found) bad_date(text, "the seconds are missing");
        second = *seconds_found;
      }
    }
  }
  if (scan.peek() == '.' || scan.peek() == ',') {
    scan.take();
    const std::size_t fraction = scan.digits_ahead();
    if (fraction == 0) bad_date(text, "digits must follow the decimal point");
    for (std::size_t i = 0; i < fraction; ++i) {
      if (scan.take() != '0') bad_date(text, "fractions of a second are not supported");
    }
  }
  if (hour > 24 || (hour == 24 && (minute != 0 || second != 0))) bad_date(text, "the hour is not in 0..23");
  if (minute > 59) bad_date(text, "the minute is not in 0..59");
  if (second > 59) bad_date(text, "the second is not in 0..59");
  return hours(hour) + minutes(minute) + seconds(second);
}

struct Designator {
  char letter;
  long long unit;
};

// "1Y2M" and the like: decreasing units, each at most once, a decimal fraction only in the last. nullopt: malformed.
template <std::size_t N>
std::optional<double> designated(Scanner& scan, const std::array<Designator, N>& units, bool& any, bool& fraction) {
  double total = 0;
  std::size_t next = 0;
  while (!scan.done() && scan.peek() != 'T') {
    if (fraction) return std::nullopt;
    const auto whole = scan.number(1, 18);
    if (!whole) return std::nullopt;
    double value = static_cast<double>(*whole);
    if (scan.peek() == '.' || scan.peek() == ',') {
      scan.take();
      double scale = 0.1;
      if (scan.digits_ahead() == 0) return std::nullopt;
      while (is_digit(scan.peek())) value += (scan.take() - '0') * scale, scale /= 10;
      fraction = true;
    }
    while (next < N && units[next].letter != scan.peek()) ++next;
    if (next == N) return std::nullopt;
    total += value * static_cast<double>(units[next].unit);
    ++next;
    scan.take();
    any = true;
  }
  return total;
}

// P<date>T<time>, with a year of 365 days and a month of 30, as the reference counts them.
std::optional<double> combined_duration(Scanner scan) {
  const auto year = scan.number(4, 4);
  const bool dashes = scan.literal("-");
  const auto month = scan.number(2, 2);
  if (!year || !month || (dashes && !scan.literal("-"))) return std::nullopt;
  const auto day = scan.number(2, 2);
  if (!day || !scan.literal("T")) return std::nullopt;
  const std::string_view text = scan.rest();
  const seconds time = time_of_day(scan, false, text);
  if (!scan.done()) return std::nullopt;
  return static_cast<double>((*year * 365 + *month * 30 + *day) * 86400 + time.count());
}

std::optional<double> iso_duration(std::string_view text) {
  Scanner scan(text);
  if (!scan.literal("P")) return std::nullopt;
  if (text.find_first_of("YMDHSW") == std::string_view::npos) return combined_duration(scan);
  static constexpr std::array<Designator, 3> date{{{'Y', 365LL * 86400}, {'M', 30LL * 86400}, {'D', 86400}}};
  static constexpr std::array<Designator, 1> week{{{'W', 7LL * 86400}}};
  static constexpr std::array<Designator, 3> time{{{'H', 3600}, {'M', 60}, {'S', 1}}};
  bool any = false, fraction = false;
  if (text.find('W') != std::string_view::npos) {
    const auto value = designated(scan, week, any, fraction);
    return scan.done() && any ? value : std::nullopt;
  }
  auto total = designated(scan, date, any, fraction);
  if (!total) return std::nullopt;
  if (scan.literal("T")) {
    if (fraction) return std::nullopt;
    any = false;
    const auto clock = designated(scan, time, any, fraction);
    if (!clock) return std::nullopt;
    *total += *clock;
  }
  return scan.done() && any ? total : std::nullopt;
}

// N[hdms], H:MM, H:MM:SS, `N days, H:MM:SS`.
std::optional<long long> plain_duration(std::string_view text) {
  Scanner scan(text);
  const auto first = scan.number(1, 12);
  if (!first) return std::nullopt;
  long long days_before = 0;
  long long hour = *first;
  if (scan.literal(" day")) {
    scan.literal("s");
    if (!scan.literal(", ")) return std::nullopt;
    days_before = *first;
    const auto found = scan.number(1, 12);
    if (!found) return std::nullopt;
    hour = *found;
  } else if (scan.rest().size() == 1) {
    switch (std::tolower(static_cast<unsigned char>(scan.take()))) {
      case 'd':
        return *first * 86400;
      case 'h':
        return *first * 3600;
      case 'm':
        return *first * 60;
      case 's':
        return *first;
      default:
        return std::nullopt;
    }
  }
  if (!scan.literal(":")) return std::nullopt;
  const auto minute = scan.number(1, 12);
  if (!minute) return std::nullopt;
  long long second = 0;
  if (scan.literal(":")) {
    const auto found = scan.number(1, 12);
    if (!found) return std::nullopt;
    second = *found;
  } else if (text.find(',') != std::string_view::npos) {
    return std::nullopt;
  }
  if (!scan.done()) return std::nullopt;
  return days_before * 86400 + hour * 3600 + *minute * 60 + second;
}

// Digits with single underscores between them, as Python's int() reads them.
std::optional<long long> python_digits(std::string_view text) {
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '_' && i > 0 && i + 1 < text.size() && is_digit(text[i - 1]) && is_digit(text[i + 1])) continue;
    digits += text[i];
  }
  Scanner scan(digits);
  const auto value = scan.number(1, 18);
  return scan.done() ? value : std::nullopt;
}

[[noreturn]] void bad_duration(std::string_view text, const std::string& why = {}) {
  throw UserError(
      "cannot read '" + std::string(text) + "' as a duration" + (why.empty() ? "" : ": " + why), {},
      "write hours as an integer, or 6h, 10d, 30m (minutes), 10s, H:MM, H:MM:SS, 'N days, H:MM:SS' or PT6H");
}

}  // namespace

Time parse_date(std::string_view text) {
  Scanner scan(text);
  const auto year = scan.number(4, 4);
  const bool dashes = scan.literal("-");
  const auto month = scan.number(2, 2);
  if (!year || !month || (dashes && !scan.literal("-")))
    bad_date(text, "it does not start with YYYY-MM-DD or YYYYMMDD");
  const auto day = scan.number(2, 2);
  if (!day) bad_date(text, "it does not start with YYYY-MM-DD or YYYYMMDD");
  const auto start = day_start(*year, *month, *day);
  if (!start) bad_date(text, "there is no such day");
  if (scan.done()) return *start;

  // The time follows directly (12 or 14 digits in all) or after one separator, whichever it is, as the reference reads
  // it; only `T` and spaces may be followed by nothing or by a short hour.
  bool lenient = true;
  if (is_digit(scan.peek())) {
    const std::size_t digits = scan.digits_ahead();
    if (dashes || (digits != 4 && digits != 6)) bad_date(text, "the time of day is not HHMM or HHMMSS");
  } else {
    const char separator = scan.take();
    lenient = separator == 'T' || separator == 't' || is_space(separator);
    if (lenient) scan.spaces();
    if (scan.done() && lenient) return *start;
  }
  Time time = *start + time_of_day(scan, lenient, text);
  scan.spaces();
  if (!scan.done()) {
    const auto shift = offset(scan);
    if (!shift || !scan.done()) bad_date(text, "'" + std::string(scan.rest()) + "' is left over at its end");
    time -= *shift;
  }
  return time;
}

Time date_from_integer(long long value, Time today) {
  if (value <= 0) {
    if (value < -1000000) bad_date(std::to_string(value), "that is too many days ago");
    return std::chrono::floor<days>(today) + days(value);
  }
  const auto start = value > 99991231 ? std::nullopt : day_start(value / 10000, value % 10000 / 100, value % 100);
  if (!start) bad_date(std::to_string(value), "an integer is YYYYMMDD, or 0 or less for days from today");
  return *start;
}

Duration parse_duration(std::string_view text) {
  std::string_view rest = trimmed(text);
  // The reference trims leading blanks only, except around bare digits.
  const bool trailing_blank = !text.empty() && is_space(text.back());
  bool negative = false;
  while (!rest.empty() && (rest.front() == '+' || rest.front() == '-')) {
    negative ^= rest.front() == '-';
    rest.remove_prefix(1);
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  }
  std::optional<long long> value = python_digits(rest);
  if (value) {
    if (*value > most_seconds / 3600) bad_duration(text, "it is too long");
    *value *= 3600;
  } else {
    if (trailing_blank) bad_duration(text, "a blank follows it");
    value = plain_duration(rest);
  }
  if (!value) {
    std::optional<double> iso;
    try {
      iso = iso_duration(rest);
    } catch (const UserError&) {  // the time of P<date>T<time> is no time of day
    }
    if (!iso) bad_duration(text);
    if (std::abs(*iso) > static_cast<double>(most_seconds)) bad_duration(text, "it is too long");
    if (std::abs(*iso - std::round(*iso)) > 1e-6) bad_duration(text, "fractions of a second are not supported");
    value = std::llround(*iso);
  }
  if (*value > most_seconds) bad_duration(text, "it is too long");
  return Duration(negative ? -*value : *value);
}

CivilTime civil(Time time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return {static_cast<int>(date.year()),
          static_cast<int>(static_cast<unsigned>(date.month())),
          static_cast<int>(static_cast<unsigned>(date.day())),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count())};
}

std::string iso_date(Time time) {
  const CivilTime t = civil(time);
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d", t.year, t.month, t.day, t.hour, t.minute,
                t.second);
  return text.data();
}

std::string duration_text(Duration value) {
  const long long total = value.count();
  if (total < 0) return std::string(1, '-').append(duration_text(-value));
  if (total == 0) return "0h";
  if (total % 86400 == 0) return std::to_string(total / 86400) + "d";
  if (total % 3600 == 0) return std::to_string(total / 3600) + "h";
  if (total % 60 == 0) return std::to_string(total / 60) + "m";
  return std::to_string(total) + "s";
}

}  // namespace tradewind
