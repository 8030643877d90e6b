// Where each generation of anemoi-models keeps a thing: one row per thing, the candidate paths newest first. A row is
// resolved by what is there, so a tree from between two releases reads as well. Pure, thread-safe.
// Errors: UserError with the path, what is missing and every place tried; also when two candidates hold different
// values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/checkpoint/tree.h"

namespace tradewind::checkpoint {

// What stands for {dataset}, {data}, {hidden}, {encoder} and {decoder} in a place's paths.
struct Names {
  std::string dataset = "data";  // of the one dataset
  std::string data = "data";     // its node set
  std::string hidden = "hidden";
  std::string encoder = "data";  // key of its encoder and decoder
  std::string decoder = "data";
};

struct Place {
  std::string_view what;
  std::vector<std::string_view> candidates;  // dotted; an empty one is the node itself
  std::string_view proof = {};               // attribute that the right one must have
  bool first_wins = false;                   // else two candidates with different values are an error
};

std::optional<Node> find_place(const Node& from, const Place& place, const Names& names = {});
Node at_place(const Node& from, const Place& place, const Names& names = {});

namespace places {
// below the interface
extern const Place preprocessors, postprocessors, model;
// below the model
extern const Place input_steps, output_steps, input_variables, output_variables;
extern const Place prognostic_input, prognostic_output, forcing_input;
extern const Place data_coordinates, hidden_coordinates, data_trainable, hidden_trainable;
extern const Place encoder, processor, decoder, encoder_graph, processor_graph, decoder_graph;
extern const Place residual, boundings;
// below a mapper or block
extern const Place mapper_chunks;
extern const Place source_norm, destination_norm, mapper_mlp_norm;
extern const Place attention_norm, mlp_norm;
extern const Place fused_qkv;
// below a noise injector
extern const Place noise_matrix;
}  // namespace places

}  // namespace tradewind::checkpoint
