// A checkpoint opened: archive, metadata and description together (opening/obstacles.h opens it). The tree, megabytes
// of small values, is gone when the description is made of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/archive/archive.h"
#include "common/checkpoint/description.h"
#include "common/checkpoint/metadata.h"

namespace tradewind::checkpoint {

// Of each dataset, in the document's order, at least one (metadata.h).
std::vector<Metadata> interpret_datasets(const Json& document, const Json& patch = Json::object());
// The same of <root>/anemoi-metadata/{anemoi,ai-models}.json, wherever it lies.
std::vector<Metadata> read_metadata(const archive::Archive& archive, const Json& patch = Json::object());
// Raw little-endian supporting array as float64 (float32, float64, ints and bool are converted). It must have exactly
// `elements` values, which the caller knows from elsewhere: the array's own shape is not to be believed.
std::vector<double> read_array(const archive::Archive& archive, const Metadata& metadata, const std::string& name,
                               std::int64_t elements);
// Whether read_array would read it, without reading it: UserError when it would not.
void require_array(const archive::Archive& archive, const Metadata& metadata, const std::string& name,
                   std::int64_t elements);
// False when `latitudes` and `longitudes` are those of a whole grid of which the model has a part (grid_indices).
bool has_coordinates_of_model(const Metadata& metadata, std::int64_t points);

struct Checkpoint {
  std::shared_ptr<const archive::Archive> archive;
  std::shared_ptr<const void> contents;  // what the description's tensors lie in
  std::vector<Metadata> metadata;        // of the model's datasets, in their order
  ModelDescription model;
};
// Puts the model's datasets in the order of the metadata, whose first one speaks for all where they share a fact.
// UserError unless both speak of the same datasets, and of each of the same variables, times and grid.
void require_agreement(const archive::Archive& archive, const std::vector<Metadata>& metadata, ModelDescription& model);

}  // namespace tradewind::checkpoint
