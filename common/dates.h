// Dates and durations in every form the run configuration and the checkpoint's metadata use. All times are UTC, whole
// seconds, proleptic Gregorian. Pure functions, thread-safe. Errors: UserError naming the text.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace tradewind {

using Time = std::chrono::sys_seconds;
using Duration = std::chrono::seconds;

// `2020-01-01`, `2020-01-01T12`, `20200101`, `20200101 12:00`, ISO 8601 with seconds, with or without `Z` or an offset.
Time parse_date(std::string_view text);
// Days relative to `today` at 00 UTC; only values <= 0 or of the form YYYYMMDD are dates.
Time date_from_integer(long long value, Time today);
// Integer or digits = hours; `6h`, `1d`, `30m` (minutes), `10s`, `H:MM`, `H:MM:SS`, `N days, H:MM:SS`, `PT6H`, signs.
Duration parse_duration(std::string_view text);

std::string iso_date(Time time);            // 2024-01-15T06:00:00
std::string duration_text(Duration value);  // 6h, 1d, 30m, 10s: the shortest that is exact

struct CivilTime {
  int year, month, day, hour, minute, second;
};
CivilTime civil(Time time);

}  // namespace tradewind
