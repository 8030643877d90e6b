#include <algorithm>
#include <iomanip>
#include <map>
#include <ostream>
#include <sstream>

#include "common/checkpoint/layer_sizes.h"
#include "common/checkpoint/listing.h"
#include "common/dates.h"
#include "common/errors.h"
#include "common/sampling/sampling.h"
#include "launcher/inspect/facts.h"

namespace tradewind::launcher {
namespace {

constexpr std::size_t kMargin = 14, kWidth = 100;

std::string bytes_text(std::int64_t bytes) {
  static constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(units); ++unit) value /= 1024;
  std::ostringstream text;
  text << std::fixed << std::setprecision(value < 10 && unit > 0 ? 1 : 0) << value << ' ' << units[unit];
  return text.str();
}

// 199090 -> "199 090"
std::string count_text(std::int64_t count) {
  std::string digits = std::to_string(count);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ' ');
  return digits;
}

std::string short_class(const std::string& name) { return name.substr(name.rfind('.') + 1); }

// Values of the file are not to reach the terminal as control codes.
std::string printable(const std::string& text) {
  std::string out = text;
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return out;
}

class Table {
 public:
  explicit Table(std::ostream& out) : out_(out) {}

  // Words are kept whole; lines after the first start at the margin.
  void row(const std::string& label, const std::string& text) {
    std::istringstream words(printable(text));
    std::string word, line = label;
    line.resize(std::max(kMargin, label.size() + 1), ' ');
    bool empty = true;
    while (words >> word) {
      if (!empty && line.size() + 1 + word.size() > kWidth) {
        out_ << line << '\n';
        line.assign(kMargin, ' ');
        empty = true;
      }
      if (!empty) line += ' ';
      line += word;
      empty = false;
    }
    out_ << line << '\n';
  }
  void blank() { out_ << '\n'; }

 private:
  std::ostream& out_;
};

std::string classes_below(const CheckpointFacts& facts, const std::string& place) {
  std::vector<std::string> names;
  for (const auto& part : facts.summary.parts) {
    if (part.place == place || part.place.starts_with(place + ".")) names.push_back(short_class(part.class_name));
  }
  return checkpoint::listed(names);
}

std::string width_text(std::int64_t channels, std::int64_t heads) {
  return std::to_string(channels) + " channels" + (heads > 0 ? ", " + std::to_string(heads) + " heads" : "");
}

std::string edges_text(const checkpoint::GraphDescription* graph) {
  return graph ? count_text(graph->edges) + " edges, " : "";
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

// How what several encoders make comes together.
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

// The checkpoint's own sampling: empty when it names none that can be.
std::optional<sampling::Sampling> sampling_of(const checkpoint::TransportDescription& transport) {
  try {
    return sampling::resolve(transport.objective, transport.defaults, {});
  } catch (const UserError&) {
    return std::nullopt;
  }
}

void write_transport(const checkpoint::TransportDescription& transport, Table& table) {
  const auto sampling = sampling_of(transport);
  const std::string calls =
      sampling ? std::to_string(sampling::network_calls(*sampling)) + " calls of the network a step" : "";
  table.row("sampler",
            sampling ? sampling::text(*sampling) + "; " + calls : "none of its own: name one in predict_kwargs");
  const bool denoises = transport.objective == sampling::Objective::denoise;
  std::string source = transport.source == checkpoint::SourceField::gaussian ? "random numbers"
                       : transport.source == checkpoint::SourceField::zero   ? "zero"
                                                                             : "the latest state";
  const bool random = transport.source == checkpoint::SourceField::gaussian;
  if (transport.noise_scale != 0 && !random) source += " and random numbers";
  table.row("transport",
            std::string(denoises ? "removes noise (EDM)" : "moves a field in time (stochastic interpolant)") +
                ", from " + source);
}

std::string processor_text(const checkpoint::ProcessorDescription& description) {
  const checkpoint::ProcessorSizes sizes = checkpoint::sizes_of(description);
  std::string text =
      std::to_string(sizes.layers) + " layers, " + edges_text(sizes.graph) + width_text(sizes.channels, sizes.heads);
  if (sizes.window) return text + ", window " + std::to_string(*sizes.window);
  return sizes.by_position ? text + ", no window" : text;
}

// From grid to grid; empty for a residual that stays on one.
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

void write_model(const CheckpointFacts& facts, Table& table) {
  const auto& summary = facts.summary;
  if (summary.model_class.empty()) {
    table.row("model", "none found");
    return;
  }
  table.row("model", short_class(summary.model_class) + ", " + count_text(summary.parameters) + " parameters");
  table.row("generation", summary.generation.empty() ? "unknown" : "anemoi-models " + summary.generation);
  const auto part = [&](const char* label, const std::string& details) {
    const std::string classes = classes_below(facts, std::string("model.") + label);
    if (classes.empty()) return;
    table.row(label, details.empty() ? classes : classes + ": " + details);
  };
  // Of what there is several of, one after the other.
  std::map<std::string, std::string> details;
  const auto add = [&](const std::string& label, const std::string& text) {
    std::string& all = details[label];
    all += (all.empty() ? "" : "; ") + text;
  };
  if (facts.model) {
    checkpoint::for_each_mapper(
        *facts.model, [&](const std::string& name, const auto& mapper, const auto& sources, const auto& destinations) {
          add(name.substr(0, name.find(' ')), mapper_text(mapper, sources.count, destinations.count));
        });
    checkpoint::for_each_processor(
        *facts.model, [&](const auto& processor, const auto&) { add("processor", processor_text(processor)); });
  }
  for (const char* label : {"encoder", "processor", "decoder"}) part(label, details[label]);
  for (const char* label : {"down", "up"}) {
    if (!details[label].empty()) table.row(label, details[label]);
  }
  if (facts.model && facts.model->latents.size() > 1) table.row("latents", latents_text(*facts.model));
  const std::string injector = classes_below(facts, "model.noise_injector");
  if (!injector.empty()) {
    const std::string text = facts.model ? noise_text(*facts.model) : std::string();
    table.row("noise", text.empty() ? injector : injector + ": " + text);
  }
  if (facts.model && facts.model->transport) write_transport(*facts.model->transport, table);
  if (facts.model) {
    for (const auto& dataset : facts.model->datasets) {
      if (const std::string text = residual_text(dataset.residual); !text.empty()) add("residual", text);
    }
  }
  part("residual", details["residual"]);
  part("boundings", "");
  table.row("preprocessing", classes_below(facts, "pre_processors"));
}

// What a dataset lacks.
std::string dataset_text(const checkpoint::Metadata& metadata, const CheckpointFacts& facts) {
  if (!facts.model) return {};
  for (const checkpoint::DatasetDescription& dataset : facts.model->datasets) {
    if (dataset.name != metadata.dataset) continue;
    if (!dataset.encoder) return ", which no encoder reads";
    if (!dataset.decoder) return ", which is only read";
  }
  return {};
}

std::string durations_text(const std::vector<Duration>& durations) {
  std::string list;
  for (const Duration duration : durations) checkpoint::add_to_list(list, duration_text(duration));
  return list;
}

void write_variables(const checkpoint::Metadata& metadata, Table& table) {
  const VariableGroups groups = group_variables(metadata);
  table.row("variables",
            std::to_string(metadata.input.size()) + " in, " + std::to_string(metadata.output.size()) + " out");
  const std::pair<const char*, const std::vector<std::string>&> rows[] = {
      {"  prognostic", groups.prognostic},      {"  diagnostic", groups.diagnostic},
      {"  constant", groups.constant_forcings}, {"  dynamic", groups.dynamic_forcings},
      {"  computed", groups.computed_forcings}, {"  accumulated", groups.accumulations}};
  for (const auto& [label, names] : rows) {
    if (!names.empty()) table.row(label, checkpoint::listed(drawn_together(names), " "));
  }
}

// Of several each has its name, and the first says what all share.
void write_dataset(const checkpoint::Metadata& metadata, const CheckpointFacts& facts, Table& table) {
  const bool first = &metadata == facts.metadata.data();
  if (facts.metadata.size() > 1) table.row("dataset", metadata.dataset + dataset_text(metadata, facts));
  table.row("grid",
            (metadata.grid.empty() ? "unknown" : metadata.grid) + ", " + count_text(metadata.grid_points) + " points");
  table.row("time", "step " + duration_text(metadata.time.timestep) + "; input at " +
                        durations_text(metadata.time.input_offsets) + "; output at " +
                        durations_text(metadata.time.output_offsets));
  if (first) table.row("precision", metadata.precision.empty() ? "not given" : metadata.precision);
  if (first && metadata.task != "forecaster") table.row("task", metadata.task);
  write_variables(metadata, table);
}

void write_memory(const checkpoint::MemoryEstimate& memory, Table& table) {
  const std::string ranks = memory.world_size == 1 ? "1 rank" : std::to_string(memory.world_size) + " ranks, each";
  table.row("memory", "about " + bytes_text(memory.own()) + " for " + ranks + ", in " +
                          std::to_string(8 * memory.element_size) + " bit" +
                          (memory.mapped > 0
                               ? std::string(", and ").append(bytes_text(memory.mapped)).append(" of weights per host")
                               : ""));
  const std::pair<const char*, std::int64_t> parts[] = {{"graph", memory.graph},         {"edges", memory.edges},
                                                        {"nodes", memory.nodes},         {"residual", memory.residual},
                                                        {"state", memory.state},         {"latent", memory.latent},
                                                        {"attention", memory.attention}, {"scratch", memory.scratch},
                                                        {"weights", memory.converted},   {"runtime", memory.runtime}};
  std::string text;
  for (const auto& [name, bytes] : parts) {
    if (bytes > 0) checkpoint::add_to_list(text, std::string(name) + " " + bytes_text(bytes));
  }
  table.row("", text);
}

}  // namespace

void write_text(const CheckpointFacts& facts, std::ostream& out) {
  Table table(out);
  table.row("checkpoint", facts.path + " (" + bytes_text(static_cast<std::int64_t>(facts.file_size)) + ")");
  table.row("runnable", facts.obstacles.empty() ? "yes" : "no");
  for (const Refusal& each : facts.obstacles) {
    table.row("  because", each.what);
    table.row("    at", each.where);
    if (!each.remedy.empty()) table.row("    hint", each.remedy);
  }
  if (!facts.unchecked.empty()) table.row("but", facts.unchecked);
  table.blank();
  write_model(facts, table);
  for (const checkpoint::Metadata& metadata : facts.metadata) {
    table.blank();
    write_dataset(metadata, facts, table);
  }
  if (facts.memory) {
    table.blank();
    write_memory(*facts.memory, table);
  }
}

}  // namespace tradewind::launcher
