#include "launcher/launch/output_streams.h"

#include <unistd.h>

#include <optional>
#include <utility>

#include "common/errors.h"
#include "common/streams.h"

namespace tradewind::launcher {

namespace {

// Adds the stream that the output `leaf` goes to, if it goes to one.
void add_stream(const config::OutputLeaf& leaf, const config::PathUse& use, const Placement& placement,
                std::map<std::string, int>& streams) {
  const std::optional<int> descriptor = descriptor_named(use.path);
  if (!descriptor) return;
  const std::string where = use.parts > 0 ? "output.parallel" : use.at.key;
  if (use.parts > 0)
    throw UserError("several files cannot be written to " + stream_words(use.path), where, "give the path of a file");
  if (const int error = why_not_writable(*descriptor)) throw write_fault(stream_words(use.path), where, error);
  if (std::holds_alternative<config::PrinterOutputConfig>(*leaf.output) && *descriptor == STDOUT_FILENO) return;
  if (placement.mode == PlacementMode::wrap)
    throw UserError("rank 0 is started by srun and does not have " + stream_words(use.path) + " of this process", where,
                    "write to a file, or start the ranks yourself: srun tradewind run ...");
  if (!streams.emplace(use.path, *descriptor).second)
    throw UserError("two outputs cannot both be written to " + stream_words(use.path), where,
                    "give one of them a file");
}

}  // namespace

std::map<std::string, int> output_streams(const std::vector<config::OutputConfig>& outputs,
                                          const Placement& placement) {
  std::map<std::string, int> streams;
  std::vector<config::OutputLeaf> leaves;
  for (const config::OutputConfig& output : outputs) {
    for (config::OutputLeaf& leaf : config::leaves_of(output)) leaves.push_back(std::move(leaf));
  }
  for (const config::OutputLeaf& leaf : leaves) {
    config::Uses uses;
    leaf.output->uses(uses);
    const auto* printer = std::get_if<config::PrinterOutputConfig>(leaf.output);
    if (printer != nullptr && !printer->path)
      uses.paths.push_back({.how = config::PathUse::How::writes,
                            .path = standard_output,
                            .role = "the output",
                            .at = {"output.printer", {}}});
    for (config::PathUse& use : uses.paths) {
      if (leaf.writers != nullptr) use.parts = leaf.writers->count;
      if (use.how != config::PathUse::How::reads) add_stream(leaf, use, placement, streams);
    }
  }
  return streams;
}

}  // namespace tradewind::launcher
