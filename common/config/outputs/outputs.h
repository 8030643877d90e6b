// Where forecast states go: one of these kinds; some are made of others. Plain values.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/config/outputs/grib_output.h"
#include "common/config/outputs/netcdf_output.h"
#include "common/config/outputs/no_output.h"
#include "common/config/outputs/parallel_output.h"
#include "common/config/outputs/printer_output.h"
#include "common/config/outputs/raw_output.h"
#include "common/config/outputs/tee_output.h"

namespace tradewind::config {

// The table of kinds (kinds.h). An output that writes has its OutputCommon as `common`; one made of others gives them
// by `inner()`, or is `parallel`.
using OutputKinds = std::variant<GribOutputConfig, PrinterOutputConfig, NoOutputConfig, ParallelOutputConfig,
                                 RawOutputConfig, TeeOutputConfig, NetcdfOutputConfig>;

struct OutputConfig : OutputKinds {
  using OutputKinds::OutputKinds;
  void uses(Uses& uses) const;
};

// UserError for a kind that is not built.
OutputConfig parse_output(const Node& node, const std::string& key, Findings& findings);
// What is given for datasets by their names (component.h).
std::vector<Node::Entry> outputs_by_dataset(const Node& node);
// One whose fields can be dealt out; `where` in messages: "`output.parallel`".
OutputConfig parse_split_output(const Node& node, const std::string& key, const std::string& where, Findings& findings);

// An output that writes by itself, with all that changes a state on its way there, in order, its own filters last.
// Points into the configuration.
struct OutputLeaf {
  const OutputConfig* output = nullptr;
  const OutputCommon* common = nullptr;
  std::vector<const FilterConfig*> filters;
  const ParallelWriters* writers = nullptr;
};
std::vector<OutputLeaf> leaves_of(const OutputConfig& output);

}  // namespace tradewind::config
