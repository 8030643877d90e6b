#include "launcher/inspect/facts.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "common/checkpoint/verify.h"
#include "common/precision.h"

namespace tradewind::launcher {
namespace {

// Of the precision that a run takes from the checkpoint when its config gives none.
Precision precision_of(const CheckpointFacts& facts) {
  if (facts.metadata.empty()) return Precision::f16;
  return tradewind::precision_of(facts.metadata.front().precision).value_or(Precision::f16);
}

// Of a rank, when all of them share this host.
int threads_of(int world_size) {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / world_size);
}

}  // namespace

CheckpointFacts gather_facts(const InspectOptions& options) {
  const std::string& path = options.checkpoint;
  const WantedByConfig config = options.config.value_or(WantedByConfig{});
  checkpoint::Examined found = checkpoint::examine(
      path, {.precision_given = config.precision.has_value(), .patch_metadata = config.patch_metadata});
  CheckpointFacts facts;
  facts.path = path;
  facts.sampling = config.sampling;
  facts.filters = config.filters;
  facts.file_size = found.archive->file_size();
  facts.contents = std::move(found.contents);
  facts.archive = std::move(found.archive);
  facts.summary = std::move(found.summary);
  facts.metadata = std::move(found.metadata);
  facts.model = std::move(found.model);
  facts.obstacles = std::move(found.obstacles);
  if (options.verify) {
    for (Refusal& each : checkpoint::damaged_entries(facts.archive)) facts.obstacles.push_back(std::move(each));
    facts.unchecked = checkpoint::warning_without_checksum(*facts.archive);
  }
  for (Refusal& each : facts.obstacles) {
    if (each.where.starts_with(path + ": ")) each.where.erase(0, path.size() + 2);  // known to the reader
  }
  if (facts.model)
    facts.memory =
        checkpoint::estimate_memory(*facts.model, {.world_size = options.world_size,
                                                   .precision = config.precision.value_or(precision_of(facts)),
                                                   .threads = threads_of(options.world_size)});
  return facts;
}

}  // namespace tradewind::launcher
