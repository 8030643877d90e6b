#include "launcher/inspect/inspect.h"

#include <ostream>
#include <sstream>

#include "common/errors.h"
#include "common/printable.h"
#include "launcher/inspect/facts.h"

namespace tradewind::launcher {

int inspect(const InspectOptions& options, std::ostream& out) {
  constexpr int kMostRanks = 100000;
  if (options.world_size < 1 || options.world_size > kMostRanks) {
    throw UserError("a world size of " + std::to_string(options.world_size), "--world-size",
                    "give a number from 1 to " + std::to_string(kMostRanks));
  }
  const CheckpointFacts facts = gather_facts(options);
  if (options.json) {
    write_json(facts, out);
  } else {
    std::ostringstream text;  // names come from the file
    write_text(facts, text);
    out << printable(text.str());
  }
  return 0;
}

}  // namespace tradewind::launcher
