// Which variable of the checkpoint a GRIB message holds. Immutable, thread-safe.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/checkpoint/metadata.h"
#include "common/config/inputs/grib_input.h"
#include "worker/grib/handle.h"

namespace tradewind::grib {

struct Identified {
  std::string name, param, level;  // level: empty at the surface
};

class Namer {
 public:
  Namer(const checkpoint::Metadata& metadata, std::vector<config::NamerRule> rules = {});
  // First rule that matches, else the checkpoint's variable of the message's (param, level), else `param` or
  // `param_level`. Always some name.
  std::string operator()(const Handle& message) const { return identify(message).name; }
  // The name, and what the message itself says.
  Identified identify(const Handle& message) const;

 private:
  std::optional<std::string> name_by_rules(const Handle& message) const;

  std::vector<config::NamerRule> rules_;
  std::map<std::pair<std::string, std::string>, std::string> names_;  // (param, level or empty) -> variable
};

// A key as rules and lookups see it: `param` is the short name, or the paramId when ecCodes has no short name.
std::optional<std::string> key_text(const Handle& message, const std::string& key);

// The GRIB identity of a variable: mars.param, else its name; mars.levelist as text, else empty.
std::string param_of(const checkpoint::Variable& variable);
std::string level_of(const checkpoint::Variable& variable);
// A JSON scalar without quotes.
std::string plain_text(const checkpoint::Json& value);

}  // namespace tradewind::grib
