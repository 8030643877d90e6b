#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>

#include "common/errors.h"
#include "worker/compare/compare.h"

namespace tradewind::compare {
namespace {

constexpr const char* usage =
    "tradewind compare A.grib B.grib [--json] [--tolerance T] [--scores] [--steps 24h,5d] "
    "[--climatology zonal-mean|mean] [--persistence FILE]";

double parse_tolerance(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(value) || value < 0)
    throw UserError("tolerance '" + text + "' is not a number of 0 or more", "--tolerance", usage);
  return value;
}

std::vector<Duration> parse_steps(const std::string& text) {
  std::vector<Duration> steps;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    steps.push_back(parse_duration(text.substr(at, comma - at)));
    at = comma + 1;
  }
  return steps;
}

}  // namespace

CompareOptions parse_compare_options(const std::vector<std::string>& words) {
  CompareOptions options;
  std::vector<std::string> files;
  const std::map<std::string, std::function<void(const std::string&)>> with_value = {
      {"--tolerance", [&](const std::string& value) { options.tolerance = parse_tolerance(value); }},
      {"--steps", [&](const std::string& value) { options.steps = parse_steps(value); }},
      {"--climatology", [&](const std::string& value) { options.climatology = value; }},
      {"--persistence", [&](const std::string& value) { options.persistence = value; }}};
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    const std::string name = words[i].substr(0, equals);
    if (words[i] == "--json") {
      options.json = true;
    } else if (words[i] == "--scores") {
      options.scores_only = true;
    } else if (const auto option = with_value.find(name); option != with_value.end()) {
      if (equals == std::string::npos && i + 1 == words.size())
        throw UserError("option " + name + " needs a value", "compare", usage);
      option->second(equals == std::string::npos ? words[++i] : words[i].substr(equals + 1));
    } else if (words[i].starts_with("--")) {
      throw UserError("option " + words[i] + " is not known", "compare", usage);
    } else {
      files.push_back(words[i]);
    }
  }
  if (files.size() != 2)
    throw UserError("compare takes two files, got " + std::to_string(files.size()), "compare", usage);
  options.got = files[0];
  options.wanted = files[1];
  return options;
}

}  // namespace tradewind::compare
