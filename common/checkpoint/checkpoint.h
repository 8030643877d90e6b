// A checkpoint opened: archive, metadata and description together. The tree, megabytes of small values, is gone when
// the description is made of it.
#pragma once

#include <memory>
#include <string>

#include "common/checkpoint/archive.h"
#include "common/checkpoint/description.h"
#include "common/checkpoint/metadata.h"
#include "common/checkpoint/tree.h"

namespace tradewind::checkpoint {

// Reads <root>/anemoi-metadata/{anemoi,ai-models}.json, wherever it lies. `patch` is merged into it recursively.
Metadata read_metadata(const Archive& archive, const Json& patch = Json::object());
// Raw little-endian supporting array as float64 (float32, float64, ints and bool are converted). It must have exactly
// `elements` values, which the caller knows from elsewhere: the array's own shape is not to be believed.
std::vector<double> read_array(const Archive& archive, const Metadata& metadata, const std::string& name,
                               std::int64_t elements);
// Whether read_array would read it, without reading it: UserError when it would not.
void require_array(const Archive& archive, const Metadata& metadata, const std::string& name, std::int64_t elements);
// False when `latitudes` and `longitudes` are those of a whole grid of which the model has a part (grid_indices).
bool has_coordinates_of_model(const Metadata& metadata, std::int64_t points);
// Turns the tree into a description by the table of generations. UserError naming class and path when unsupported.
ModelDescription describe(const Tree& tree);

// What is wanted of a checkpoint, as far as it decides whether it can be had.
struct Wanted {
  bool forecast = true;          // else only the model's calls, on raw tensors
  bool precision_given = false;  // by the config: the checkpoint's own then does not count
  Json patch_metadata = Json::object();
};

struct Checkpoint {
  std::shared_ptr<const Archive> archive;
  std::shared_ptr<const void> contents;  // what the description's tensors lie in
  Metadata metadata;
  ModelDescription model;
};
// UserError unless model and metadata speak of the same variables, times and grid.
void require_agreement(const Archive& archive, const Metadata& metadata, const ModelDescription& model);
// UserError when anything stands in the way (obstacles.h); of several things, a Refused that lists them all.
Checkpoint open_checkpoint(const std::string& path, const Wanted& wanted = {});

}  // namespace tradewind::checkpoint
