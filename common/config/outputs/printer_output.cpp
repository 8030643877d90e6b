#include "common/config/outputs/printer_output.h"

#include <limits>

#include "common/config/nodes/path_text.h"
#include "common/errors.h"

namespace tradewind::config {

PrinterOutputConfig PrinterOutputConfig::parse(const Component& component, Findings& findings) {
  Node options = component.options("");
  PrinterOutputConfig config;
  const Node* variables = options.find("variables");
  const bool all = variables != nullptr && variables->is_text() && variables->text() == "all";
  if (all) options.set("variables", variables->where, Node::of(nullptr, variables->where));
  const MapReader reader(options, component.key, with_common_keys({"path", "max_lines"}), findings);
  config.common = parse_common(reader, findings);
  reader.take_set("path", [&](const Node& node, const std::string& key) {
    config.path = as_path(node, key);
    config.path_at = {key, node.where.text()};
  });
  reader.take_set("max_lines", [&](const Node& node, const std::string& key) {
    constexpr int most = std::numeric_limits<int>::max();
    const std::int64_t lines = as_integer(node, key);
    if (lines < -1 || lines > most) {
      throw UserError(quoted(key) + " is " + std::to_string(lines) + ", it must be 0 or more, or -1 for all",
                      node.where.text(), "write for example 10");
    }
    config.max_lines = static_cast<int>(lines);
  });
  if (all) config.max_lines = -1;
  return config;
}

void PrinterOutputConfig::uses(Uses& uses) const {
  if (path) uses.paths.push_back({.how = PathUse::How::writes, .path = *path, .role = "the output", .at = path_at});
  add_uses(common, uses);
}

}  // namespace tradewind::config
