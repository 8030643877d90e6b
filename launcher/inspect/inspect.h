// `tradewind inspect CHECKPOINT`: what is in it, whether this build can run it, and the memory that it will need.
// Reads the checkpoint in this process, without LibTorch, in milliseconds.
#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/precision.h"
#include "common/sampling/sampling.h"

namespace tradewind::launcher {

// Filters that a configuration has in one place, by name, in the order in which they are applied.
struct FilterPlace {
  std::string place;
  std::vector<std::string> filters;
};

// What a configuration asks of a checkpoint.
struct WantedByConfig {
  std::vector<FilterPlace> filters;
  sampling::Choice sampling;
  std::optional<Precision> precision;
  nlohmann::ordered_json patch_metadata = nlohmann::ordered_json::object();
};

struct InspectOptions {
  std::string checkpoint;
  bool json = false;
  int world_size = 1;
  bool verify = false;                   // read it all, and hold its checksums against it
  std::optional<WantedByConfig> config;  // nothing: the checkpoint alone
};

// Returns 0 also when the checkpoint cannot be run: the report says so, and why.
// UserError when the file cannot be opened or is no checkpoint, or for a world size below 1.
int inspect(const InspectOptions& options, std::ostream& out);

}  // namespace tradewind::launcher
