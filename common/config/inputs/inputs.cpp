#include "common/config/inputs/inputs.h"

#include "common/config/nodes/kinds.h"

namespace tradewind::config {
namespace {

// What the reference has and this build has not stands here, with the way out.
const Kinds& kinds() {
  static const std::string retrieve =
      "`tradewind retrieve CONFIG` prints the requests that bring the fields; then write `input: {grib: FILE}`";
  static const Kinds inputs{"input",
                            kind_names<InputConfig>(),
                            {"cds", "cutout", "fdb", "mars", "netcdf", "opendap", "split", "opendata", "polytope"},
                            {{"mars", retrieve},
                             {"cds", retrieve},
                             {"fdb", retrieve},
                             {"opendap", retrieve},
                             {"opendata", retrieve},
                             {"polytope", retrieve}}};
  return inputs;
}

}  // namespace

void InputConfig::uses(Uses& uses) const {
  std::visit([&](const auto& kind) { kind.uses(uses); }, static_cast<const InputKinds&>(*this));
}

InputConfig parse_input(const Node& node, const std::string& key, Findings& findings) {
  return parse_kind<InputConfig>(as_component(node, key), kinds(), findings);
}

std::vector<Node::Entry> inputs_by_dataset(const Node& node) { return parts_by_dataset(node, kinds()); }

void refuse_common(const MapReader& reader) {
  reader.unsupported("variables", "leave it out: the checkpoint says which variables are read");
  reader.unsupported("purpose", "leave it out");
}

}  // namespace tradewind::config
