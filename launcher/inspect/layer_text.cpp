#include "launcher/inspect/layer_text.h"

#include <iomanip>
#include <optional>
#include <sstream>
#include <variant>
#include <vector>

#include "common/checkpoint/layer_sizes.h"
#include "common/checkpoint/listing.h"
#include "common/errors.h"

namespace tradewind::launcher {
namespace {

std::string width_text(std::int64_t channels, std::int64_t heads) {
  return std::to_string(channels) + " channels" + (heads > 0 ? ", " + std::to_string(heads) + " heads" : "");
}

std::string edges_text(const checkpoint::GraphDescription* graph) {
  return graph ? count_text(graph->edges) + " edges, " : "";
}

// Empty when neither names one that can be.
std::optional<sampling::Sampling> sampling_of(const checkpoint::TransportDescription& transport,
                                              const sampling::Choice& wanted) {
  try {
    return sampling::resolve(transport.objective, transport.defaults, wanted);
  } catch (const UserError&) {
    return std::nullopt;
  }
}

}  // namespace

std::string bytes_text(std::int64_t bytes) {
  static constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(units); ++unit) value /= 1024;
  std::ostringstream text;
  text << std::fixed << std::setprecision(value < 10 && unit > 0 ? 1 : 0) << value << ' ' << units[unit];
  return text.str();
}

std::string count_text(std::int64_t count) {
  std::string digits = std::to_string(count);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ' ');
  return digits;
}

std::string mapper_text(const checkpoint::MapperDescription& description, std::int64_t sources,
                        std::int64_t destinations) {
  const checkpoint::MapperSizes sizes = checkpoint::sizes_of(description);
  return count_text(sources) + " -> " + count_text(destinations) + " nodes, " + edges_text(sizes.graph) +
         width_text(sizes.channels, sizes.heads);
}

std::string noise_text(const checkpoint::ModelDescription& model) {
  if (!model.noise) return {};
  std::ostringstream deviation;
  deviation << model.noise->deviation;
  return count_text(model.noise->rows) + " x " + std::to_string(model.noise->channels) +
         " numbers a call, standard deviation " + deviation.str() +
         (model.noise->projection
              ? ", through a matrix of " + count_text(model.noise->projection->entries()) + " entries"
              : "") +
         (model.noise->injection ? ", mixed into the rows" : ", condition the norms of the processor");
}

std::string latents_text(const checkpoint::ModelDescription& model) {
  std::vector<std::string> names;
  for (const std::size_t dataset : model.latents) names.push_back(model.datasets.at(dataset).name);
  std::string text = "those of " + checkpoint::listed(names);
  switch (model.aggregation) {
    case checkpoint::LatentAggregation::sum:
      return text + " are added";
    case checkpoint::LatentAggregation::mean:
      return text + " are averaged";
    case checkpoint::LatentAggregation::concatenation:
      break;
  }
  return text + " stand beside each other";
}

std::string sampler_text(const checkpoint::TransportDescription& transport, const sampling::Choice& wanted) {
  const auto sampling = sampling_of(transport, wanted);
  if (!sampling) return "none of its own: name one in predict_kwargs";
  return sampling::text(*sampling) + "; " + std::to_string(sampling::network_calls(*sampling)) +
         " calls of the network a step";
}

std::string transport_text(const checkpoint::TransportDescription& transport) {
  const bool denoises = transport.objective == sampling::Objective::denoise;
  std::string source = transport.source == checkpoint::SourceField::gaussian ? "random numbers"
                       : transport.source == checkpoint::SourceField::zero   ? "zero"
                                                                             : "the latest state";
  const bool random = transport.source == checkpoint::SourceField::gaussian;
  if (transport.noise_scale != 0 && !random) source += " and random numbers";
  return std::string(denoises ? "removes noise (EDM)" : "moves a field in time (stochastic interpolant)") + ", from " +
         source;
}

std::string processor_text(const checkpoint::ProcessorDescription& description) {
  const checkpoint::ProcessorSizes sizes = checkpoint::sizes_of(description);
  std::string text =
      std::to_string(sizes.layers) + " layers, " + edges_text(sizes.graph) + width_text(sizes.channels, sizes.heads);
  if (sizes.window) return text + ", window " + std::to_string(*sizes.window);
  return sizes.by_position ? text + ", no window" : text;
}

std::string residual_text(const checkpoint::ResidualDescription& description) {
  const auto* truncated = std::get_if<checkpoint::TruncatedResidualDescription>(&description);
  if (!truncated) return {};
  std::int64_t entries = 0;
  std::string text = count_text(truncated->matrices.front().columns);
  for (const checkpoint::SparseDescriptor& matrix : truncated->matrices) {
    text += " -> " + count_text(matrix.rows);
    entries += matrix.entries();
  }
  return text + " nodes, " + count_text(entries) + " entries";
}

}  // namespace tradewind::launcher
