#include "common/config/inputs/dataset_input.h"

#include <algorithm>

#include "common/config/inputs/inputs.h"
#include "common/config/nodes/reader.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

const std::vector<std::string> own_keys = {"use_original_paths", "use_trajectories", "grid_indices",
                                           "pre_processors",     "variables",        "purpose"};

void parse_own(DatasetOptions& out, const MapReader& reader) {
  reader.take_set("grid_indices", [&](const Node& node, const std::string& key) {
    out.grid_indices.emplace();
    for (const Node& item : as_list(node, key).items) {
      out.grid_indices->push_back(as_integer(item, key));
      if (out.grid_indices->back() < 0)
        throw UserError(quoted(key) + " has a negative number", item.where.text(), "count points from 0");
    }
  });
  reader.unsupported("use_trajectories", "give a dataset of dates, not of forecasts");
  reader.unsupported("pre_processors", "leave them out: the reference applies none to datasets");
  refuse_common(reader);
}

// The reference looks names up in anemoi's settings unless it is told to take the paths of the training.
void need_original_paths(const MapReader& reader, const Component& component) {
  bool original = false;
  reader.take_set("use_original_paths",
                  [&](const Node& node, const std::string& key) { original = as_boolean(node, key); });
  if (original) return;
  throw UserError("input '" + component.name +
                      "' looks up the dataset of the training by its name in anemoi's settings, which Tradewind does "
                      "not read",
                  component.where.text(),
                  "write `input: {" + component.name +
                      ": {use_original_paths: true}}` where the data of the training is there, `input: {dataset: "
                      "STORE.zarr}` or `input: {grib: FILE}`");
}

template <typename Config>
Config parse_partition(const Component& component, Findings& findings) {
  const MapReader reader(component.options(""), component.key, own_keys, findings);
  Config config;
  parse_own(config, reader);
  need_original_paths(reader, component);
  return config;
}

}  // namespace

DatasetInputConfig DatasetInputConfig::parse(const Component& component, Findings& findings) {
  DatasetInputConfig config;
  if (component.argument.is_text() || component.argument.is_list()) {
    config.dataset = parse_open_dataset(component.argument, component.key, findings);
    return config;
  }
  const Node options = component.options("");
  std::vector<std::string> keys = own_keys;
  keys.insert(keys.end(), open_dataset_keys().begin(), open_dataset_keys().end());
  const MapReader reader(options, component.key, keys, findings);
  parse_own(config, reader);
  // What remains is for the dataset; a key that neither knows has been refused.
  Node rest = options;
  for (const Node::Entry& entry : options.entries)
    if (std::find(open_dataset_keys().begin(), open_dataset_keys().end(), entry.key) == open_dataset_keys().end())
      rest.remove(entry.key);
  if (rest.entries.empty()) {
    need_original_paths(reader, component);
    return config;
  }
  reader.take_set("use_original_paths", [](const Node& node, const std::string& key) { as_boolean(node, key); });
  config.dataset = parse_open_dataset(rest, component.key, findings);
  return config;
}

void DatasetInputConfig::uses(Uses& uses) const {
  if (dataset) dataset->uses(uses);
}

TestInputConfig TestInputConfig::parse(const Component& component, Findings& findings) {
  return parse_partition<TestInputConfig>(component, findings);
}
TrainingInputConfig TrainingInputConfig::parse(const Component& component, Findings& findings) {
  return parse_partition<TrainingInputConfig>(component, findings);
}
ValidationInputConfig ValidationInputConfig::parse(const Component& component, Findings& findings) {
  return parse_partition<ValidationInputConfig>(component, findings);
}

}  // namespace tradewind::config
