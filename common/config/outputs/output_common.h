// What every output that writes can be told: which variables, when, and what changes them before. Plain values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/config/filters/filters.h"
#include "common/config/nodes/reader.h"
#include "common/dates.h"

namespace tradewind::config {

// An entry is a glob on the variable's name, or a map of MARS keys of which all must match.
struct VariablePattern {
  std::string glob;
  std::map<std::string, std::vector<std::string>> mars;
  Origin at;
};
struct VariableSelection {
  bool drop = false;  // false: keep what matches; true: keep what does not
  std::vector<VariablePattern> patterns;
  Origin at;
};

struct OutputCommon {
  std::optional<VariableSelection> variables;
  std::optional<Duration> output_frequency;
  Origin output_frequency_at;
  std::optional<bool> write_initial_state;
  std::vector<FilterConfig> post_processors;  // they see only what is written; the selection of variables comes after
};

// Its keys with those that the output has besides.
std::vector<std::string> with_common_keys(std::vector<std::string> own);
OutputCommon parse_common(const MapReader& reader, Findings& findings);
// The post-processors alone: of what does not write by itself, the other options have no effect, which is said.
std::vector<FilterConfig> parse_common_filters(const MapReader& reader, const std::string& why, Findings& findings);
void add_uses(const OutputCommon& common, Uses& uses);

}  // namespace tradewind::config
