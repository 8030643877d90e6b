// GRIB messages by variable, read anew whenever one is asked for: all of them together would be as much memory as an
// input. Immutable, thread-safe.
#pragma once

#include <functional>
#include <map>
#include <string>

namespace tradewind::grib {

struct TemplateSet {
  std::map<std::string, std::function<std::string()>> messages;  // variable -> reads its encoded message
};

}  // namespace tradewind::grib
