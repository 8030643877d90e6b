#include "common/config/outputs/tee_output.h"

#include "common/config/outputs/outputs.h"
#include "common/errors.h"

namespace tradewind::config {

TeeOutputConfig TeeOutputConfig::parse(const Component& component, Findings& findings) {
  // The list may stand there at once.
  Node options = Node::map(component.where);
  if (component.argument.is_list())
    options.set("outputs", component.where, component.argument);
  else
    options = component.options("");
  const MapReader reader(options, component.key, with_common_keys({"outputs"}), findings);
  const std::string at = component.argument.is_list() ? component.key : reader.path("outputs");
  TeeOutputConfig config;
  reader.need("outputs", component.where, "write tee: [{grib: FILE}, printer]", [&](const Node& node, const auto&) {
    std::size_t index = 0;
    for (const Node& item : as_list(node, at).items) {
      const std::string key = at + "." + std::to_string(index++);
      findings.attempt([&] { config.outputs.push_back(parse_output(item, key, findings)); });
    }
    if (index == 0) throw UserError(quoted(at) + " is empty", node.where.text(), "write tee: [{grib: FILE}, printer]");
  });
  config.post_processors = parse_common_filters(reader, "say it of each output in the tee", findings);
  return config;
}

void TeeOutputConfig::uses(Uses& uses) const {
  for (const OutputConfig& output : outputs) output.uses(uses);
  for (const FilterConfig& filter : post_processors) filter.uses(uses);
}

}  // namespace tradewind::config
