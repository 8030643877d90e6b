// What a tree holds, as far as it can be told without understanding it all: for `inspect`, also of models that this
// build cannot run. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/checkpoint/tree.h"

namespace tradewind::checkpoint {

struct TreePart {
  std::string place;       // e.g. "model.encoder.0"
  std::string class_name;  // full
};

struct TreeSummary {
  std::string model_class;      // full; empty when the tree has no model
  std::string generation;       // row of the table of generations; empty when none matches
  std::vector<TreePart> parts;  // pre-processors, encoder, processor, decoder, residual, boundings
  std::int64_t parameters = 0;  // trained values
};

TreeSummary summarize(const Tree& tree);

// Trained values of a module and those below it; one that several names share counts once.
std::int64_t count_parameters(const Node& module);

}  // namespace tradewind::checkpoint
