#include "launcher/progress/console.h"

#include <doctest/doctest.h>

#include <sstream>

using namespace tradewind;
using namespace tradewind::launcher;

namespace {

proto::Step step(int number, double seconds) {
  return {.step = number,
          .steps = 4,
          .valid_time = parse_date("2024-01-15") + std::chrono::hours(6 * number),
          .seconds = seconds};
}

struct Recorded {
  std::ostringstream output, error;
  Screen screen(bool terminal, int columns = 80) { return {output, error, terminal, columns}; }
};

}  // namespace

TEST_CASE("durations in words") {
  CHECK(duration_words(0.123) == "0.12 s");
  CHECK(duration_words(9.994) == "9.99 s");
  CHECK(duration_words(9.996) == "10.0 s");
  CHECK(duration_words(59.9) == "59.9 s");
  CHECK(duration_words(59.96) == "1 min 00 s");
  CHECK(duration_words(245) == "4 min 05 s");
  CHECK(duration_words(7380) == "2 h 03 min");
}

TEST_CASE("time left follows the steps after the first, which is slower") {
  Progress progress;
  CHECK(progress.step(step(1, 8)) == "step 1/4  2024-01-15 06:00  8.00 s/step  24.0 s left");
  CHECK(progress.step(step(2, 2)) == "step 2/4  2024-01-15 12:00  2.00 s/step  4.00 s left");
  CHECK(progress.step(step(3, 4)) == "step 3/4  2024-01-15 18:00  3.00 s/step  3.00 s left");
  CHECK(progress.step(step(4, 3)) == "step 4/4  2024-01-16 00:00  3.00 s/step");
}

TEST_CASE("without a terminal there is a line per step, and the workers' lines pass as they are") {
  Recorded seen;
  Console console(seen.screen(false), Verbosity::normal, 2);
  console.message(0, proto::Phase{"load"});
  console.message(0, step(1, 0.5));
  console.message(1, step(1, 0.5));
  console.message(1, proto::Warning{"odd"});
  console.hosts({"n1", "n2"});
  console.line(0, proto::Stream::output, "field 1");
  console.line(1, proto::Stream::error, "hm");
  CHECK(seen.output.str() == "field 1\n");
  CHECK(seen.error.str() == "step 1/4  2024-01-15 06:00  0.50 s\n[1] warning: odd\n[1 n2] hm\n");
}

TEST_CASE("on a terminal one line is overwritten, and makes way for others") {
  Recorded seen;
  Console console(seen.screen(true, 30), Verbosity::normal, 1);
  console.message(0, proto::Phase{"load"});
  CHECK(seen.error.str() == "\rload\033[K");
  seen.error.str("");
  console.message(0, step(1, 0.5));
  CHECK(seen.error.str() == "\rstep 1/4  2024-01-15 06:00  0\033[K");
  seen.error.str("");
  console.message(0, proto::Note{"n"});
  CHECK(seen.error.str() == "\r\033[Kn\n\rstep 1/4  2024-01-15 06:00  0\033[K");
}

TEST_CASE("quiet leaves warnings and errors") {
  Recorded seen;
  Console console(seen.screen(false), Verbosity::quiet, 1);
  console.message(0, step(1, 0.5));
  console.message(0, proto::Note{"n"});
  console.message(0, proto::Warning{"w"});
  Outcome outcome;
  outcome.status = "failed";
  outcome.error = RankError{.what = "bad", .where = "config.yaml:3:1", .remedy = "mend it"};
  console.outcome(outcome, 1);
  CHECK(seen.error.str() == "warning: w\nerror: config.yaml:3:1: bad\n  remedy: mend it\n");
}

TEST_CASE("a stack that has just been shown is not shown again") {
  Recorded seen;
  Console console(seen.screen(false), Verbosity::normal, 4);
  Outcome outcome;
  outcome.status = "failed";
  outcome.error = RankError{.rank = 2, .what = "bad", .last_lines = {"fatal signal", " 0# main"}, .silent = true};
  console.line(2, proto::Stream::error, "fatal signal");
  console.line(2, proto::Stream::error, " 0# main");
  console.line(1, proto::Stream::error, "lost rank 2");
  console.outcome(outcome, 1);
  CHECK(seen.error.str() == "[2] fatal signal\n[2]  0# main\n[1] lost rank 2\nerror: rank 2: bad\n");
  // Another rank's line is none of its own, and what has scrolled away is shown.
  seen.error.str("");
  for (int i = 0; i < 40; ++i) console.line(1, proto::Stream::error, "more");
  console.line(1, proto::Stream::error, " 0# main");
  seen.error.str("");
  console.outcome(outcome, 1);
  CHECK(seen.error.str() == "error: rank 2: bad\n  its last lines:\n    fatal signal\n     0# main\n");
}

TEST_CASE("control characters of workers, hosts and names do not reach the terminal") {
  Recorded seen;
  Console console(seen.screen(true, 200), Verbosity::verbose, 2);
  console.hosts(
      {"n\x1b"
       "1",
       "n\x1b]0;x\x07"});
  console.line(1, proto::Stream::error, "\x1b[2Jgone");
  console.message(1, proto::Note{"\x1b[1mnote"});
  console.message(0, proto::Warning{"\x9bwarning"});
  console.message(0, proto::Phase{"\x1bphase"});
  Outcome outcome;
  outcome.status = "failed";
  outcome.error = RankError{.rank = 1, .what = "a\x1b]what", .where = "file\x1b.grib", .remedy = "\x1bmend"};
  console.outcome(outcome, 1);
  std::string text = seen.error.str();
  for (std::size_t at; (at = text.find("\033[K")) != std::string::npos;) text.erase(at, 3);  // its own
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\x07') == std::string::npos);
  CHECK(text.find('\x9b') == std::string::npos);
  CHECK(text.find("file\\x1b.grib: a\\x1b]what") != std::string::npos);
  console.line(0, proto::Stream::output, "\x1b[1mbytes");
  CHECK(seen.output.str() == "\x1b[1mbytes\n");  // the run's own
}

TEST_CASE("with several ranks an error names its rank and shows its last lines") {
  Recorded seen;
  Console console(seen.screen(false), Verbosity::normal, 4);
  Outcome outcome;
  outcome.status = "failed";
  outcome.error = RankError{.rank = 2, .what = "bad", .last_lines = {"a", "b"}, .silent = true};
  console.outcome(outcome, 1);
  CHECK(seen.error.str() == "error: rank 2: bad\n  its last lines:\n    a\n    b\n");
}
