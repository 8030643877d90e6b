// GRIB messages by variable, kept as bytes so that they can be shared, sent and cloned. Immutable, thread-safe to read.
#pragma once

#include <map>
#include <memory>
#include <string>

namespace tradewind::grib {

struct TemplateSet {
  std::map<std::string, std::shared_ptr<const std::string>> messages;  // variable -> encoded message
};

}  // namespace tradewind::grib
