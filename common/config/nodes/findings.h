// All that is wrong with a configuration and all that is worth a warning, put together part by part, so that one call
// tells everything. Used by one thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/config/nodes/node.h"
#include "common/refusals.h"

namespace tradewind::config {

class Findings {
 public:
  void refuse(const UserError& error);  // all that it carries
  void warn(const Location& where, const std::string& text);
  // Does a part of the work; what it refuses is noted, and the other parts go on. Other errors pass.
  template <typename Part>
  void attempt(Part&& part) {
    try {
      std::forward<Part>(part)();
    } catch (const UserError& error) {
      refuse(error);
    }
  }

  // The order of what was read: the configuration, defaults, overrides. Anything else comes after.
  void set_sources(std::vector<std::string> sources) { sources_ = std::move(sources); }
  bool any_refusal() const { return !refusals_.empty(); }
  // In the order of sources, in each by line and column; what is missing in a file comes after what stands there.
  Refusals refusals() const;
  std::vector<std::string> warnings() const;  // one line each, with its place
  // Throws Refused when anything was refused.
  void throw_refusals() const;

 private:
  std::vector<std::string> sources_;
  Refusals refusals_;
  std::vector<std::string> warnings_;
  std::size_t further_refusals_ = 0, further_warnings_ = 0;  // beyond those that anybody reads
};

// "file:3:5" as its parts; without line and column all of it is the source.
Location location_of(const std::string& text);

}  // namespace tradewind::config
