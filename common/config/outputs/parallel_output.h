// Output `parallel`: the fields of another output in several files.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/config/nodes/component.h"
#include "common/config/nodes/findings.h"
#include "common/config/nodes/uses.h"

namespace tradewind::config {

struct OutputConfig;

// So many files, FILE_w<i>. Chunks of a state's fields go to them in turn: by default one each, of equal size; else of
// fields_per_chunk.
struct ParallelWriters {
  int count = 1;
  std::optional<int> fields_per_chunk;
};

struct ParallelOutputConfig {
  ParallelWriters writers;
  std::shared_ptr<const OutputConfig> output;  // one that splits; never null

  static constexpr const char* kind = "parallel";
  static constexpr bool splits = false;
  static ParallelOutputConfig parse(const Component& component, Findings& findings);
  void uses(Uses& uses) const;
};

}  // namespace tradewind::config
