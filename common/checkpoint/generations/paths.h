// Where each generation of anemoi-models keeps a thing: one row per thing, the candidate paths newest first. A row is
// resolved by what is there, so a tree from between two releases reads as well. Pure, thread-safe.
// Errors: UserError with the path, what is missing and every path tried; also when two candidates hold different
// values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/checkpoint/tree.h"

namespace tradewind::checkpoint {

// What stands for {dataset}, {data}, {hidden}, {encoder} and {decoder} in these paths.
struct Names {
  std::string dataset = "data";  // of the one dataset
  std::string data = "data";     // its node set
  std::string hidden = "hidden";
  std::string encoder = "data";  // key of its encoder and decoder
  std::string decoder = "data";
};

struct Paths {
  std::string_view what;
  std::vector<std::string_view> candidates;  // dotted; an empty one is the node itself
  std::string_view proof = {};               // attribute that the right one must have
  bool first_wins = false;                   // else two candidates with different values are an error
};

std::optional<Node> find_by_paths(const Node& from, const Paths& paths, const Names& names = {});
Node by_paths(const Node& from, const Paths& paths, const Names& names = {});

namespace paths {
// below the interface
extern const Paths preprocessors, postprocessors, tendency_postprocessors, model;
// below the model
extern const Paths input_steps, output_steps, input_variables, output_variables;
extern const Paths prognostic_input, prognostic_output, forcing_input;
extern const Paths data_coordinates, hidden_coordinates, data_trainable, hidden_trainable;
extern const Paths encoder, processor, decoder, encoder_graph, processor_graph, decoder_graph;
extern const Paths residual, boundings;
// below a mapper or block
extern const Paths mapper_chunks;
extern const Paths source_norm, destination_norm, mapper_mlp_norm;
extern const Paths attention_norm, mlp_norm;
extern const Paths fused_qkv;
// below a noise injector
extern const Paths noise_matrix;
}  // namespace paths

}  // namespace tradewind::checkpoint
