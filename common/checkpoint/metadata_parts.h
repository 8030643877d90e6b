// The parts of the metadata that one reader each takes care of; internal to read_metadata.
#pragma once

#include "common/checkpoint/metadata.h"
#include "common/checkpoint/metadata_json.h"

namespace tradewind::checkpoint {

// The two layouts: since anemoi-models 0.12 every table has one more level, the dataset's name.
struct MetadataLayout {
  JsonNode document;                  // whole
  JsonNode dataset;                   // facts of the training data
  JsonNode indices;                   // columns of variables
  JsonNode config;                    // of the training
  std::optional<JsonNode> inference;  // metadata_inference.<dataset>, in the layout with datasets
};

// variables, dataset_variables, variable_order
void read_variables(const MetadataLayout& layout, Metadata& out);
// input, output, prognostic, diagnostic, forcing, prognostic_columns; needs the variables
void read_columns(const MetadataLayout& layout, Metadata& out);
void read_time(const MetadataLayout& layout, Metadata& out);
// arrays, grid, grid_points
void read_grid(const MetadataLayout& layout, Metadata& out);

}  // namespace tradewind::checkpoint
