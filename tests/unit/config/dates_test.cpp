// Every expected value was computed with the reference implementation (earthkit-data 0.20 to_datetime, anemoi-utils
// 0.5.14 as_timedelta), an offset then taken out, since all our times are UTC.
#include "common/dates.h"

#include <doctest/doctest.h>

#include "common/errors.h"

using tradewind::civil;
using tradewind::date_from_integer;
using tradewind::Duration;
using tradewind::duration_text;
using tradewind::iso_date;
using tradewind::parse_date;
using tradewind::parse_duration;
using tradewind::UserError;

TEST_CASE("dates read as the reference reads them") {
  const std::pair<const char*, const char*> table[] = {
      {"2020-01-01", "2020-01-01T00:00:00"},
      {"2020-01-01T12", "2020-01-01T12:00:00"},
      {"2020-01-01 12", "2020-01-01T12:00:00"},
      {"20200101", "2020-01-01T00:00:00"},
      {"20200101 12:00", "2020-01-01T12:00:00"},
      {"20200101  12:00", "2020-01-01T12:00:00"},
      {"20200101T12", "2020-01-01T12:00:00"},
      {"20200101T1200", "2020-01-01T12:00:00"},
      {"20200101T12:00", "2020-01-01T12:00:00"},
      {"20200101T123015", "2020-01-01T12:30:15"},
      {"20200101 1200", "2020-01-01T12:00:00"},
      {"20200101 06", "2020-01-01T06:00:00"},
      {"202001011200", "2020-01-01T12:00:00"},
      {"2020-01-01T1200", "2020-01-01T12:00:00"},
      {"2020-01-01T120000", "2020-01-01T12:00:00"},
      {"2020-01-01T12:30", "2020-01-01T12:30:00"},
      {"2020-01-01T12:30:15", "2020-01-01T12:30:15"},
      {"2020-01-01T12:3", "2020-01-01T12:03:00"},
      {"2020-01-01T6:00", "2020-01-01T06:00:00"},
      {"2020-01-01 6:00", "2020-01-01T06:00:00"},
      {"2020-01-01T00", "2020-01-01T00:00:00"},
      {"2020-01-01T", "2020-01-01T00:00:00"},
      {"2020-01-01 ", "2020-01-01T00:00:00"},
      {"2020-01-01t12", "2020-01-01T12:00:00"},
      {"2020-01-01x06", "2020-01-01T06:00:00"},
      {"2020-01-01+02:00", "2020-01-01T02:00:00"},  // a separator, not an offset
      {"2020-01-01T24", "2020-01-02T00:00:00"},
      {"2020-12-31T24:00", "2021-01-01T00:00:00"},
      {"2020-01-01T24:00:00", "2020-01-02T00:00:00"},
      {"2020-01-01T12Z", "2020-01-01T12:00:00"},
      {"2020-01-01T12:00z", "2020-01-01T12:00:00"},
      {"2020-01-01T12:00:00Z", "2020-01-01T12:00:00"},
      {"2020-01-01T12:00:00 Z", "2020-01-01T12:00:00"},
      {"2020-01-01 12:00 UTC", "2020-01-01T12:00:00"},
      {"2020-01-01T12:00:00+02:00", "2020-01-01T10:00:00"},
      {"2020-01-01T12:00:00+0200", "2020-01-01T10:00:00"},
      {"2020-01-01T12:00:00-05", "2020-01-01T17:00:00"},
      {"2020-01-01T12:00 +01:00", "2020-01-01T11:00:00"},
      {"2020-01-01T12:00:00.000", "2020-01-01T12:00:00"},
      {"2000-02-29", "2000-02-29T00:00:00"},
      {"0001-01-01", "0001-01-01T00:00:00"},
      {"9999-12-31T23:59:59", "9999-12-31T23:59:59"},
  };
  for (const auto& [text, expected] : table) {
    const std::string shown(text);
    CAPTURE(shown);
    CHECK(iso_date(parse_date(text)) == expected);
  }
}

TEST_CASE("what the reference does not take as a date is refused") {
  for (const char* text : {"2020010112",
                           "2020-0101",
                           "202001-01",
                           "2020-02-30",
                           "2020-13-01",
                           "2020-1-1",
                           "-1",
                           "0",
                           "2020-01",
                           "2020/01/01",
                           "20200101T6",
                           "20200101 6",
                           "2020-01-01Z",
                           " 2020-01-01",
                           "2020-01-01 foo",
                           "2020-01-01T25",
                           "2020-01-01T12:60",
                           "2020-01-01T24:01",
                           "2020-W01-1",
                           "2020001",
                           "2020-01-01T12:00:60",
                           "0000-01-01",
                           "1900-02-29",
                           "20200101/to/20200103",
                           "",
                           "2020-01-01T12:"}) {
    const std::string shown(text);
    CAPTURE(shown);
    CHECK_THROWS_AS(parse_date(text), UserError);
  }
}

TEST_CASE("a date with a fraction of a second is refused, and says so") {
  try {
    parse_date("2020-01-01T12:00:00.5");
    FAIL("accepted");
  } catch (const UserError& error) {
    CHECK(error.message() == "cannot read '2020-01-01T12:00:00.5' as a date: fractions of a second are not supported");
    CHECK(error.remedy().find("YYYY-MM-DD") != std::string::npos);
  }
}

TEST_CASE("integers are days from today or YYYYMMDD") {
  const auto today = parse_date("2026-03-01T17:45:00");
  CHECK(iso_date(date_from_integer(0, today)) == "2026-03-01T00:00:00");
  CHECK(iso_date(date_from_integer(-1, today)) == "2026-02-28T00:00:00");
  CHECK(iso_date(date_from_integer(-365, today)) == "2025-03-01T00:00:00");
  CHECK(iso_date(date_from_integer(20200101, today)) == "2020-01-01T00:00:00");
  CHECK(iso_date(date_from_integer(100101, today)) == "0010-01-01T00:00:00");
  for (const long long value : {20200230LL, 2020LL, 1LL, 202001011200LL}) {
    CAPTURE(value);
    CHECK_THROWS_AS(date_from_integer(value, today), UserError);
  }
}

TEST_CASE("durations read as the reference reads them") {
  const std::pair<const char*, long long> table[] = {
      {"6", 21600},
      {"240", 864000},
      {"+6", 21600},
      {"-6", -21600},
      {" 6 ", 21600},
      {"0006", 21600},
      {"1_000", 3600000},
      {"0", 0},
      {"6h", 21600},
      {"6H", 21600},
      {"1d", 86400},
      {"30m", 1800},
      {"30M", 1800},
      {"10s", 10},
      {"-6h", -21600},
      {"+6h", 21600},
      {"--6h", 21600},
      {"-+6h", -21600},
      {" 6h", 21600},
      {" -6h", -21600},
      {"- 6h", -21600},
      {"1:30", 5400},
      {"01:30:10", 5410},
      {"1:90", 9000},
      {"25:00", 90000},
      {"0:00", 0},
      {"00:30", 1800},
      {"1 day, 0:00:00", 86400},
      {"10 days, 6:30:00", 887400},
      {"1 days, 0:0:0", 86400},
      {"-1 day, 18:00:00", -151200},  // the sign holds for all of it
      {"PT6H", 21600},
      {"-PT6H", -21600},
      {"PT10M", 600},
      {"P1D", 86400},
      {"P1DT6H", 108000},
      {"P1W", 604800},
      {"P2W", 1209600},
      {"P1M", 2592000},
      {"P1M2D", 2764800},
      {"P1Y", 31536000},
      {"P1YT1H", 31539600},
      {"PT1.5H", 5400},
      {"PT0,5H", 1800},
      {"P0.5D", 43200},
      {"P0.5W", 302400},
      {"P0.5M", 1296000},
      {"P0.5Y", 15768000},
      {"PT1H30M", 5400},
      {"PT36H", 129600},
      {"PT90S", 90},
      {"P1Y2M3DT4H5M6S", 36993906},
      {"P0001-01-01T00:00:00", 34214400},
      {"P00000101T0600", 2700000},
      {"999999999d", 86399999913600},
  };
  for (const auto& [text, expected] : table) {
    const std::string shown(text);
    CAPTURE(shown);
    CHECK(parse_duration(text).count() == expected);
  }
}

TEST_CASE("what the reference does not take as a duration is refused") {
  for (const char* text : {"6h ",         "P",           "PT",     "pt6h",   "6 h",
                           "6hours",      "1.5h",        "1d6h",   "",       "P1DT",
                           "6h30m",       "1:2:3:4",     "P1W1D",  "PT1H2",  "PT1H1H",
                           "P1D6H",       "P1D1M",       "PT1M1H", "PT5S1M", "1 day,  0:00:00",
                           "1 day, 6:00", "1000000000d", "h",      "-",      "99999999999999999999",
                           "P0.5DT1H"}) {
    const std::string shown(text);
    CAPTURE(shown);
    CHECK_THROWS_AS(parse_duration(text), UserError);
  }
}

TEST_CASE("text of durations is the shortest that is exact") {
  const std::pair<long long, const char*> table[] = {
      {0, "0h"}, {86400, "1d"}, {90000, "25h"}, {5400, "90m"}, {5410, "5410s"}, {-21600, "-6h"}, {240 * 3600, "10d"}};
  for (const auto& [value, expected] : table) CHECK(duration_text(Duration(value)) == expected);
}

TEST_CASE("civil time before 1970") {
  const auto t = civil(parse_date("1969-12-31T23:00:05"));
  CHECK(t.year == 1969);
  CHECK(t.month == 12);
  CHECK(t.day == 31);
  CHECK(t.hour == 23);
  CHECK(t.second == 5);
}
