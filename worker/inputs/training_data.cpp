#include "worker/inputs/training_data.h"

#include <map>
#include <optional>

#include "common/checkpoint/metadata_json.h"
#include "common/config/nodes/uses.h"
#include "common/errors.h"

namespace tradewind::inputs {
namespace {

using checkpoint::Json;
using checkpoint::JsonNode;

// Options of a part of the data loader, of either layout of the metadata.
std::optional<Json> loader_of(const checkpoint::Metadata& metadata, const std::string& partition) {
  const JsonNode root(metadata.raw);
  const auto part = root.find_path({"config", "dataloader", partition});
  if (!part) return std::nullopt;
  const auto own = part->find_path({"datasets", metadata.dataset});
  if (!own) return metadata.multi_dataset_layout ? std::nullopt : std::optional<Json>(part->value());
  const auto given = own->find("dataset_config");
  if (!given) return own->value();
  // Newer ones keep the options one level down, or the name of a dataset alone.
  Json options = given->value().is_string() ? Json{{"dataset", given->value()}} : given->value();
  if (!options.is_object()) given->fail("a name or options of a dataset are needed");
  for (const char* key : {"start", "end"})
    if (const auto value = own->find(key); value && !options.contains(key)) options[key] = value->value();
  return options;
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string stem(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

using Paths = std::map<std::string, std::string>;

// Every text within the training's dataset, by its last part with and without its ending.
void collect(const Json& value, Paths& paths) {
  if (value.is_string()) {
    const std::string path = value.get<std::string>();
    paths[base_name(path)] = path;
    paths[stem(base_name(path))] = path;
  } else if (value.is_array()) {
    for (const Json& item : value) collect(item, paths);
  } else if (value.is_object()) {
    for (const auto& [key, item] : value.items())
      if (item.is_structured() || key == "dataset") collect(item, paths);
  }
}

Json with_paths(const Json& value, const Paths& paths) {
  if (value.is_string()) {
    const auto found = paths.find(value.get<std::string>());
    return found == paths.end() ? value : Json(found->second);
  }
  Json out = value;
  if (value.is_array() || value.is_object())
    for (Json& item : out) item = with_paths(item, paths);
  return out;
}

config::OpenDataset parsed(const checkpoint::Metadata& metadata, Json options, const std::string& place) {
  Paths paths;
  if (const auto training = loader_of(metadata, "training"))
    if (const auto dataset = JsonNode(*training).find("dataset")) collect(dataset->value(), paths);
  options = with_paths(options, paths);
  // Nothing of a forecast; the reference takes the first out, too.
  for (const char* key : {"trajectory", "statistics", "statistics_tendencies", "name"})
    if (options.is_object()) options.erase(key);
  return config::parse_open_dataset(options, "the checkpoint's metadata, " + place);
}

}  // namespace

config::OpenDataset dataset_of_training(const checkpoint::Metadata& metadata, const std::string& partition) {
  const auto options = loader_of(metadata, partition);
  const std::string place = "config.dataloader." + partition;
  if (!options)
    throw UserError("the checkpoint does not tell which dataset is its " + partition + " data",
                    "the checkpoint's metadata, " + place, "write `input: {dataset: STORE.zarr}`");
  return parsed(metadata, *options, place);
}

config::OpenDataset dataset_of_training(const checkpoint::Metadata& metadata) {
  const JsonNode root(metadata.raw);
  auto arguments = root.find_path({"dataset", metadata.dataset, "arguments"});
  if (!arguments) arguments = root.find_path({"dataset", "arguments"});
  if (!arguments)
    throw UserError("the checkpoint does not tell which dataset it was trained with",
                    "the checkpoint's metadata, dataset.arguments", "write `input: {dataset: STORE.zarr}`");
  const auto by_name = arguments->find("kwargs"), positional = arguments->find("args");
  Json options = by_name && by_name->value().is_object() ? by_name->value() : Json::object();
  if (positional && positional->value().is_array() && !positional->value().empty()) {
    const Json& first = positional->value();
    options["dataset"] = first.size() == 1 ? first.front() : first;
  }
  return parsed(metadata, std::move(options), "dataset.arguments");
}

config::OpenDataset with_dataset(config::OpenDataset options, const std::string& name) {
  options.path = config::with_dataset(std::move(options.path), name);
  for (config::OpenDataset& one : options.inner) one = with_dataset(std::move(one), name);
  return options;
}

}  // namespace tradewind::inputs
