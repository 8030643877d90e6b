#include "launcher/inspect/inspect.h"

#include <ostream>

#include "common/errors.h"
#include "launcher/inspect/facts.h"

namespace tradewind::launcher {

int inspect(const InspectOptions& options, std::ostream& out) {
  if (options.world_size < 1) {
    throw UserError("a world size of " + std::to_string(options.world_size), "--world-size", "give at least 1");
  }
  const CheckpointFacts facts = gather_facts(options.checkpoint, options.world_size);
  if (options.json) {
    write_json(facts, out);
  } else {
    write_text(facts, out);
  }
  return 0;
}

}  // namespace tradewind::launcher
