// What anemoi-datasets' open_dataset is asked for: a store, and what is taken of it. As values; from the configuration,
// or from the arguments that a checkpoint's metadata keeps. Errors: UserError with the place of the option.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/config/nodes/findings.h"
#include "common/config/nodes/node.h"
#include "common/config/nodes/uses.h"
#include "common/dates.h"

namespace tradewind::config {

// A year, month, day or moment: all times from `first` on, before `past`.
struct DatePeriod {
  Time first{}, past{};
  bool operator==(const DatePeriod&) const = default;
};

struct OpenDataset {
  std::string path;  // of a store; empty: `inner` instead
  Origin path_at = {};
  std::vector<OpenDataset> inner = {};  // at most one

  // Applied in this order, as the reference does.
  std::optional<DatePeriod> start = {}, end = {};
  std::optional<Duration> frequency = {};
  std::optional<std::vector<std::string>> select = {}, drop = {}, reorder = {};
  bool sort = false;  // reorder: sort
  std::vector<std::pair<std::string, std::string>> rename = {};
  std::optional<std::array<std::int64_t, 4>> trim_edge = {};  // rows at the begin and end, columns at the begin and end
  std::optional<std::int64_t> thinning = {};                  // every so manieth row and column
  std::optional<std::array<double, 4>> area = {};             // north, west, south, east in degrees

  void uses(Uses& uses) const;
  bool operator==(const OpenDataset&) const = default;
};

// Keys that a map has for open_dataset.
const std::vector<std::string>& open_dataset_keys();
// `node`: a path, a list of one, or a map of options.
OpenDataset parse_open_dataset(const Node& node, const std::string& key, Findings& findings);

// Of a checkpoint's metadata; `place` stands for file and line in errors.
OpenDataset parse_open_dataset(const Json& value, const std::string& place);

}  // namespace tradewind::config
