#include <algorithm>
#include <map>
#include <ostream>
#include <sstream>

#include "common/checkpoint/layer_sizes.h"
#include "common/checkpoint/listing.h"
#include "common/dates.h"
#include "launcher/inspect/facts.h"
#include "launcher/inspect/layer_text.h"

namespace tradewind::launcher {
namespace {

constexpr std::size_t kMargin = 14, kWidth = 100;

std::string short_class(const std::string& name) { return name.substr(name.rfind('.') + 1); }

// Values of the file are not to reach the terminal as control codes.
std::string printable(const std::string& text) {
  std::string out = text;
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return out;
}

bool has_digits_only(const std::string& word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
}
// Whether `word` goes on with the thousands that `before` begins: "1" "200,".
bool continues(const std::string& before, const std::string& word) {
  return before.size() <= 3 && has_digits_only(before) && word.size() >= 3 && has_digits_only(word.substr(0, 3)) &&
         (word.size() == 3 || (word.size() == 4 && !has_digits_only(word)));
}

// Words as they are to stay whole: numbers with their thousands.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word, before; stream >> word; before = word) {
    if (continues(before, word)) {
      words.back().append(" ").append(word);
    } else {
      words.push_back(word);
    }
  }
  return words;
}

class Table {
 public:
  explicit Table(std::ostream& out) : out_(out) {}

  // Words are kept whole; lines after the first start at the margin.
  void row(const std::string& label, const std::string& text) {
    std::string line = label;
    line.resize(std::max(kMargin, label.size() + 1), ' ');
    bool empty = true;
    for (const std::string& word : words_of(printable(text))) {
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
  if (facts.model && facts.model->transport) {
    table.row("sampler", sampler_text(*facts.model->transport, facts.sampling));
    table.row("transport", transport_text(*facts.model->transport));
  }
  if (facts.model) {
    for (const auto& dataset : facts.model->datasets) {
      if (const std::string text = residual_text(dataset.residual); !text.empty()) add("residual", text);
    }
  }
  // Before 0.11 what truncates is an attribute of the model, not a part of it.
  if (const std::string& text = details["residual"]; classes_below(facts, "model.residual").empty() && !text.empty())
    table.row("residual", "truncated: " + text);
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
  if (!facts.filters.empty()) table.blank();
  for (const FilterPlace& place : facts.filters) {
    table.row(&place == facts.filters.data() ? "filters" : "", place.place + ": " + checkpoint::listed(place.filters));
  }
  if (facts.memory) {
    table.blank();
    write_memory(*facts.memory, table);
  }
}

}  // namespace tradewind::launcher
