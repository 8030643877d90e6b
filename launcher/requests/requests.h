// The requests that bring what a checkpoint needs as input, in the terms of ECMWF's MARS language: each a table from
// key to value or list of values, which stands for all combinations. As `anemoi-inference retrieve` makes them. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/checkpoint/metadata.h"
#include "common/config/filters/filters.h"
#include "common/config/filters/pre_processors.h"
#include "common/dates.h"

namespace tradewind::launcher {

using Json = nlohmann::ordered_json;

// Kinds of variables, put together: one of a set is `constant+forcing`.
using Categories = std::vector<std::string>;
const std::vector<std::string>& known_categories();
// Which variables: those with any of the included kinds and none of the excluded ones.
struct Selection {
  Categories include, exclude;
};
// `default-input`, `constant-forcings`, `dynamic-forcings` or `prognostics`; nothing for another name.
std::optional<Selection> selection_of(const std::string& input_type);
const std::vector<std::string>& input_types();

struct RequestOptions {
  Selection selection;
  std::vector<Time> dates;   // of the fields, ascending
  bool split_times = false;  // scda: a request has one time, and its stream at 06 and 18 UTC is scda where it is oper
  std::vector<std::pair<std::string, std::string>> extra;  // keys of every request
  std::vector<config::PreProcessor> pre_processors;        // some need other variables than the checkpoint's
  std::vector<config::FilterConfig> post_processors;
};

// The names of the variables that are asked for, in the checkpoint's order; those without MARS keys have no request.
std::vector<std::string> selected_variables(const checkpoint::Metadata& metadata, const Selection& selection);
std::vector<Json> requests_for(const checkpoint::Metadata& metadata, const RequestOptions& options);
// `VERB,\n   key=value/value,...`
std::string mars_text(const std::string& verb, const Json& request);

// Tables of single values as few tables of lists that stand for the same combinations.
std::vector<Json> put_together(std::vector<Json> fields);

}  // namespace tradewind::launcher
