// `tradewind compare A.grib B.grib`: do two files hold the same forecast, and how good is one as a forecast of the
// other. Messages are matched by parameter, level, date, step and member.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "common/dates.h"

namespace tradewind::compare {

struct CompareOptions {
  std::string got, wanted;  // A, B
  double tolerance = 1e-4;  // of the standard deviation of B's field; differences that packing makes pass too
  bool json = false;
  // Only scores: B is the truth, not the same forecast, so keys, order, extra messages and differences are no faults.
  bool scores_only = false;
  std::vector<Duration> steps;             // lead times to score; empty: all
  std::string climatology = "zonal-mean";  // what anomalies are counted from: zonal-mean or mean, of B's field
  std::optional<std::string> persistence;  // file whose fields valid at B's base date are scored as a forecast too
};

// From the command line's words after `compare`: A B [--json] [--tolerance T] [--scores] [--steps 24h,5d]
// [--climatology zonal-mean|mean] [--persistence FILE]. UserError for words that are not of these.
CompareOptions parse_compare_options(const std::vector<std::string>& words);

// Prints a table, or one JSON object; returns the exit code: 0 when A is B within the tolerance, 1 when not.
// Throws UserError (exit code 2) for a file that cannot be read or an option that is not known.
int run_compare(const CompareOptions& options, std::ostream& out);

}  // namespace tradewind::compare
