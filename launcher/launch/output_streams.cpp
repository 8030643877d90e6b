#include "launcher/launch/output_streams.h"

#include <unistd.h>

#include <optional>

#include "common/errors.h"
#include "common/streams.h"

namespace tradewind::launcher {

std::map<std::string, int> output_streams(const config::OutputConfig& output, const Placement& placement) {
  const auto* grib = std::get_if<config::GribOutputConfig>(&output);
  const auto* printer = std::get_if<config::PrinterOutputConfig>(&output);
  const bool prints = printer != nullptr;
  const std::string path = grib != nullptr ? grib->path : prints ? printer->path.value_or(standard_output) : "";
  if (path.empty()) return {};
  const std::optional<int> descriptor = descriptor_named(path);
  if (!descriptor) return {};
  const std::string where = grib != nullptr && grib->writers ? "output.parallel"
                            : prints                         ? "output.printer"
                                                             : "output.grib";
  if (grib != nullptr && grib->writers)
    throw UserError("several files cannot be written to " + stream_words(path), where, "give the path of a file");
  if (const int error = why_not_writable(*descriptor)) throw write_fault(stream_words(path), where, error);
  if (prints && *descriptor == STDOUT_FILENO) return {};
  if (placement.mode == PlacementMode::wrap)
    throw UserError("rank 0 is started by srun and does not have " + stream_words(path) + " of this process", where,
                    "write to a file, or start the ranks yourself: srun tradewind run ...");
  return {{path, *descriptor}};
}

}  // namespace tradewind::launcher
