#include "common/config/outputs/no_output.h"

namespace tradewind::config {

NoOutputConfig NoOutputConfig::parse(const Component& component, Findings& findings) {
  const MapReader reader(component.options(""), component.key, with_common_keys({}), findings);
  const auto filters = parse_common_filters(reader, "the output `none` writes nothing", findings);
  if (!filters.empty())
    findings.warn(reader.where("post_processors"),
                  quoted(reader.path("post_processors")) + " has no effect: the output `none` writes nothing");
  return {};
}

}  // namespace tradewind::config
