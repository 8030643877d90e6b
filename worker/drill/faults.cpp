#include "worker/drill/faults.h"

#include <charconv>
#include <sstream>

#include "common/errors.h"
#include "proto/drill_faults.h"

namespace tradewind::drill {
namespace {

int number(const std::string& text, const std::string& name) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0)
    throw UserError("`" + text + "` is no number", "TRADEWIND_DRILL, " + name);
  return value;
}

}  // namespace

Fault fault_from(const Environment& environment) {
  const auto text = environment.get("TRADEWIND_DRILL");
  if (!text)
    throw UserError("no fault is given", "TRADEWIND_DRILL",
                    "this is the worker of drills: use `tradewind drill FAULT`, or tradewind-worker for a forecast");
  Fault fault;
  std::istringstream words(*text);
  for (std::string word; std::getline(words, word, ',');) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const std::string value = equals == std::string::npos ? std::string() : word.substr(equals + 1);
    if (name == "fault")
      fault.name = value;
    else if (name == "rank")
      fault.rank = number(value, name);
    else if (name == "step")
      fault.step = number(value, name);
    else if (name == "path")
      fault.path = value;
    else
      throw UserError("unknown word `" + name + "`", "TRADEWIND_DRILL", "use fault, rank, step and path");
  }
  if (proto::find_drill_fault(fault.name) == nullptr)
    throw UserError("unknown fault `" + fault.name + "`", "TRADEWIND_DRILL", "`tradewind drill` lists them");
  return fault;
}

}  // namespace tradewind::drill
