#include "common/config/filters/extract_slice.h"

#include "common/config/nodes/reader.h"
#include "common/errors.h"

namespace tradewind::config {

ExtractSlice ExtractSlice::parse(const Component& component, Findings& /*findings*/) {
  const Node& argument = component.argument;
  constexpr std::size_t most = 3;
  std::vector<Node> numbers;
  if (argument.is_list())
    numbers = argument.items;
  else if (!argument.is_null() && !argument.is_map())
    numbers = {argument};
  if (numbers.empty() || numbers.size() > most) {
    throw UserError(quoted(component.key) + " takes one to three numbers, not " + argument.kind_text(),
                    component.where.text(), "write extract_slice: [start, stop] or [start, stop, step]");
  }
  const auto number = [&](std::size_t i) -> std::optional<std::int64_t> {
    if (i >= numbers.size() || numbers[i].is_null()) return std::nullopt;
    return as_integer(numbers[i], component.key + "." + std::to_string(i));
  };
  ExtractSlice slice;
  slice.at = {component.key, component.where.text()};
  if (numbers.size() == 1) {
    slice.stop = number(0);
  } else {
    slice.start = number(0);
    slice.stop = number(1);
    slice.step = number(2).value_or(1);
  }
  if (slice.step < 1) {
    throw UserError(quoted(component.key) + " has the step " + std::to_string(slice.step) + ", it must be 1 or more",
                    numbers.back().where.text(), "points are kept in the order of the grid: write a positive step");
  }
  return slice;
}

}  // namespace tradewind::config
