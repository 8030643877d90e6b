// The table of families: which reader makes which part of the description, by the class in the tree. A further family
// is a new file with its reader and one row in families.cpp. Pure, thread-safe. Errors: UserError with class, path and
// the classes known.
#pragma once

#include <optional>
#include <string>

#include "common/checkpoint/description.h"
#include "common/checkpoint/generations/generation.h"
#include "common/checkpoint/generations/paths.h"
#include "common/checkpoint/tree.h"

namespace tradewind::checkpoint {

// What every reader is told.
struct Scope {
  const Generation& generation;
  Names names;
  Node model;
};

// The ends of a mapper: its edges and what they must look like.
struct MapperEnds {
  const Paths& graph;
  std::int64_t sources = 0, destinations = 0;                  // nodes
  std::int64_t source_channels = 0, destination_channels = 0;  // width of what comes in
  std::int64_t output_channels = 0;  // width of what goes out; 0: the mapper's own hidden width
  bool backward = false;             // hidden to data
  std::int64_t condition = 0;        // width of what conditions its norms; 0: nothing does
};

struct MapperResult {
  MapperDescription description;
  std::int64_t output_channels = 0;
  std::int64_t source_channels = 0;  // width of what an encoder makes of its sources; 0: it leaves them as they are
};

// The ends of a processor: its edges, if it has any, and its rows.
struct ProcessorEnds {
  const Paths& graph;
  std::int64_t nodes = 0, channels = 0;
  std::int64_t condition = 0;  // width of what conditions its norms; 0: nothing does
};

// The rows that noise comes to.
struct NoiseEnds {
  std::int64_t rows = 0, channels = 0;
};

struct ModelSizes {
  std::int64_t input_steps = 0, input_variables = 0, output_variables = 0;
  std::int64_t nodes = 0;  // of the dataset
};

MapperResult read_mapper(const Node& node, const Scope& scope, const MapperEnds& ends);
ProcessorDescription read_processor(const Node& node, const Scope& scope, const ProcessorEnds& ends);
// Absent: an injector without noise.
std::optional<NoiseDescription> read_injector(const Node& node, const NoiseEnds& ends);
ResidualDescription read_residual(const Node& node, const ModelSizes& sizes);
BoundingDescription read_bounding(const Node& node, const ModelSizes& sizes);
PreprocessorDescription read_preprocessor(const Node& node, const Scope& scope, const ModelSizes& sizes);

}  // namespace tradewind::checkpoint
