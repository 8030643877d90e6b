#include "common/config/outputs/outputs.h"

#include "common/config/nodes/kinds.h"

namespace tradewind::config {
namespace {

// What the reference has and this build has not stands here.
const Kinds& kinds() {
  static const Kinds outputs{"output", kind_names<OutputConfig>(), {"plot", "truth", "zarr"}, {}};
  return outputs;
}

template <typename... Each>
std::vector<std::string> splitting(const std::variant<Each...>* /*family*/) {
  std::vector<std::string> names;
  const auto add = [&](bool splits, const char* name) {
    if (splits) names.emplace_back(name);
  };
  (add(Each::splits, Each::kind), ...);
  return names;
}

void add_leaves(const OutputConfig& output, OutputLeaf so_far, std::vector<OutputLeaf>& leaves) {
  const auto visit = [&](const auto& kind) {
    if constexpr (requires { kind.common; }) {
      so_far.output = &output;
      so_far.common = &kind.common;
      for (const FilterConfig& filter : kind.common.post_processors) so_far.filters.push_back(&filter);
      leaves.push_back(so_far);
    } else if constexpr (requires { kind.writers; }) {
      so_far.writers = &kind.writers;
      add_leaves(*kind.output, so_far, leaves);
    } else if constexpr (requires { kind.outputs; }) {
      for (const FilterConfig& filter : kind.post_processors) so_far.filters.push_back(&filter);
      for (const OutputConfig& inner : kind.outputs) add_leaves(inner, so_far, leaves);
    }
  };
  std::visit(visit, static_cast<const OutputKinds&>(output));
}

}  // namespace

void OutputConfig::uses(Uses& uses) const {
  std::visit([&](const auto& kind) { kind.uses(uses); }, static_cast<const OutputKinds&>(*this));
}

OutputConfig parse_output(const Node& node, const std::string& key, Findings& findings) {
  return parse_kind<OutputConfig>(as_component(node, key), kinds(), findings);
}

std::vector<Node::Entry> outputs_by_dataset(const Node& node) { return parts_by_dataset(node, kinds()); }

OutputConfig parse_split_output(const Node& node, const std::string& key, const std::string& where,
                                Findings& findings) {
  const Component component = as_component(node, key);
  const std::vector<std::string> supported = splitting(static_cast<const OutputConfig*>(nullptr));
  if (holds(supported, component.name)) return parse_kind<OutputConfig>(component, kinds(), findings);
  std::vector<std::string> others = kinds().supported;
  others.insert(others.end(), kinds().elsewhere.begin(), kinds().elsewhere.end());
  refuse(component, {"output in " + where, supported, others, {}});
}

std::vector<OutputLeaf> leaves_of(const OutputConfig& output) {
  std::vector<OutputLeaf> leaves;
  add_leaves(output, {}, leaves);
  return leaves;
}

}  // namespace tradewind::config
