#include "launcher/inspect/facts.h"

#include <algorithm>
#include <array>

#include "common/errors.h"

namespace tradewind::launcher {
namespace {

// Precisions that a run takes from the checkpoint when its config gives none.
constexpr std::array<std::string_view, 3> kFullPrecision = {"32", "f32", "float32"};

template <class Step>
void attempt(CheckpointFacts& facts, Step step) {
  try {
    step();
  } catch (const UserError& error) {
    std::string where = error.where();
    if (where.starts_with(facts.path + ": ")) where.erase(0, facts.path.size() + 2);  // known to the reader
    facts.obstacles.push_back({error.message(), where, error.remedy()});
  }
}

int element_size(const CheckpointFacts& facts) {
  if (!facts.metadata) return 2;
  const auto& names = kFullPrecision;
  return std::find(names.begin(), names.end(), facts.metadata->precision) == names.end() ? 2 : 4;
}

void require_known_task(const checkpoint::Metadata& metadata) {
  std::string task = metadata.task;
  std::replace(task.begin(), task.end(), '_', '-');
  if (task == "forecaster" || task == "default" || task == "offset-forecaster") return;
  throw UserError("a checkpoint for the task " + metadata.task + " is not supported", "metadata_inference.task",
                  "known: forecaster");
}

}  // namespace

CheckpointFacts gather_facts(const std::string& path, int world_size) {
  CheckpointFacts facts;
  facts.path = path;
  const auto archive = checkpoint::Archive::open(path);
  const auto tree = checkpoint::Tree::read(archive);
  facts.file_size = archive->file_size();
  facts.summary = checkpoint::summarize(*tree);
  attempt(facts, [&] { facts.metadata = checkpoint::read_metadata(*archive); });
  attempt(facts, [&] { facts.model = checkpoint::describe(*tree); });
  if (facts.metadata) attempt(facts, [&] { require_known_task(*facts.metadata); });
  if (facts.metadata && facts.model) {
    attempt(facts, [&] { checkpoint::require_agreement(*archive, *facts.metadata, *facts.model); });
  }
  if (facts.model) facts.memory = checkpoint::estimate_memory(*facts.model, world_size, element_size(facts));
  return facts;
}

}  // namespace tradewind::launcher
