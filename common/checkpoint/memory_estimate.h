// Host memory that a rank of a run will need, estimated from the description alone: what inspect tells before anybody
// waits in a queue. Pure; reads the edges when there are several ranks (their halos).
//
// Of the rank that needs most, in bytes, with d and h its data and hidden rows (a world of N ranks splits both evenly),
// C channels, A attention channels, F bytes of the precision (2 or 4):
//   graph       edges of its destination rows: (8 a row + 4 + 4 ceil8(attributes + trainable)) an edge, for both
//               mappers and a processor over a graph
//   edges       of message passing: 4 C an edge of the processor, twice when that is at most 512 MiB; first-layer terms
//               of a mapper's edges, 4 C an edge (8 C gated), when they are at most 512 MiB
//   nodes       4 (4 + trainable) a data row; the fixed destinations of the encoder: 4 (A + C) a hidden row
//   state       4 (input steps x input variables + 2 x output steps x output variables) a data row: input, output and
//               the fields being written
//   latent      4 C times 2 h, and the halo rows of encoder (its input width), processor over a graph and decoder (C)
//   attention   keys and values of the processor, packed 2 x 4 A times the rows its queries see, over a graph 2 F A
//               times own and halo rows; of one piece of a mapper, at most 64 MiB: 2 F A times its sources
//   scratch     eight chunks of rows, each at most 8 MiB: the widest layer times 4 times 96 to 4096 rows
//   converted   copies of the weights that are made at load: all of them for a precision other than the stored one
//   runtime     libraries and allocator of an idle worker
// Weights as stored are mapped, and shared by the ranks of one host: `mapped`.
// Against the peak of a prediction by one rank (o96, 59 million parameters): f16 538 MiB for 516, f32 650 for 624.
#pragma once

#include <cstdint>

#include "common/checkpoint/description.h"

namespace tradewind::checkpoint {

struct MemoryEstimate {
  int world_size = 1, element_size = 4;
  std::int64_t mapped = 0;  // once per host
  std::int64_t graph = 0, edges = 0, nodes = 0, state = 0, latent = 0, attention = 0, scratch = 0, converted = 0,
               runtime = 0;
  std::int64_t halo_rows_encoder = 0, halo_rows_processor = 0, halo_rows_decoder = 0;  // largest of any rank

  std::int64_t own() const {
    return graph + edges + nodes + state + latent + attention + scratch + converted + runtime;
  }
};

// element_size: bytes of the precision that will be used, 2 or 4.
MemoryEstimate estimate_memory(const ModelDescription& model, int world_size, int element_size);

}  // namespace tradewind::checkpoint
