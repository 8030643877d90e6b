// What `inspect` found, before it is written as text or JSON. Internal to launcher/inspect.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/checkpoint/memory_estimate.h"
#include "common/checkpoint/opening/obstacles.h"
#include "launcher/inspect/inspect.h"

namespace tradewind::launcher {

struct CheckpointFacts {
  std::string path;
  std::uint64_t file_size = 0;
  std::shared_ptr<const archive::Archive> archive;
  std::shared_ptr<const void> contents;  // what the model's tensors lie in
  checkpoint::TreeSummary summary;
  std::vector<checkpoint::Metadata> metadata;         // of each dataset, when it could be read
  std::optional<checkpoint::ModelDescription> model;  // when it is understood
  std::optional<checkpoint::MemoryEstimate> memory;   // of a model that is understood
  Refusals obstacles;                                 // why it cannot be run; empty: it can
  std::string unchecked;                              // entries that could not be verified; empty: none
  sampling::Choice sampling;                          // of the configuration, beside the checkpoint's
  std::vector<FilterPlace> filters;                   // likewise
};

CheckpointFacts gather_facts(const InspectOptions& options);
void write_text(const CheckpointFacts& facts, std::ostream& out);
void write_json(const CheckpointFacts& facts, std::ostream& out);

// Roles of the variables, for both forms.
struct VariableGroups {
  std::vector<std::string> prognostic, diagnostic, constant_forcings, dynamic_forcings, computed_forcings,
      accumulations;
};
VariableGroups group_variables(const checkpoint::Metadata& metadata);
// Names with those on many levels drawn together: "q_{50,100,850}".
std::vector<std::string> drawn_together(const std::vector<std::string>& names);

}  // namespace tradewind::launcher
