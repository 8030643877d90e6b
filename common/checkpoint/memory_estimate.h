// Host memory that a rank of a run will need, estimated from the description alone: what inspect tells before anybody
// waits in a queue. Pure; reads the edges when there are several ranks (their halos). Bounds of chunks and pieces are
// those that the layers keep to (layer_limits.h).
//
// Of the rank that needs most, in bytes, with d the data rows and h the hidden rows of a rank (every set of nodes is
// split evenly), C channels, A attention channels, F bytes of the precision (2 or 4), for every dataset, mapper and
// stage of the trunk:
//   graph       edges of its destination rows: 8 a row, 4 an edge (8 of message passing), 4 a padded attribute, which
//               blocks with an MLP of their own for them each have
//   edges       of message passing: first-layer terms of a mapper's edges, when they are at most what a layer may keep,
//               else their attributes; their sums, 4 C a destination row; a processor's embedded edges likewise
//   nodes       4 (4 + trainable) a data row; the fixed destinations of an encoder, 4 (A + C) a hidden row (4 C
//               where a condition comes to them); of a matrix of the noise 8 a hidden row and 8 an entry
//   residual    of a truncated one: 8 a row and 8 an entry of its matrices' rows
//   state       4 (input steps x input variables + 2 x output steps x output variables) a data row: input, output and
//               the fields being written; what computed forcings keep of a point
//   latent      while a call goes on: 4 C times 2 h, of every further level of hidden rows as well, and the halo rows
//               of encoders (their input width), of processors over a graph and of decoders (C); of a truncated
//               residual 4 bytes for each prognostic variable of a data row twice, a row between its matrices and a
//               halo row; of noise, 4 a channel of all drawn rows and of h;
//               of a transport model what its sampler keeps, 44 bytes a value that comes out of a data row
//   attention   keys and values of the stage or mapper that has most, see scratch.h
//   scratch     chunks of every thread, see scratch.h
//   converted   copies of the weights that are made at load: all of them for a precision other than the stored one, and
//               those of small weights that are packed
//   runtime     libraries and allocator of an idle worker
// Weights as stored are mapped, and shared by the ranks of one host: `mapped`.
#pragma once

#include <cstdint>

#include "common/checkpoint/description.h"
#include "common/precision.h"

namespace tradewind::checkpoint {

struct MemoryEstimate {
  int world_size = 1, threads = 1;
  std::int64_t element_size = 4;
  std::int64_t mapped = 0;  // once per host
  std::int64_t graph = 0, edges = 0, nodes = 0, residual = 0, state = 0, latent = 0, attention = 0, scratch = 0,
               converted = 0, runtime = 0;
  std::int64_t halo_rows_encoder = 0, halo_rows_processor = 0, halo_rows_decoder = 0;  // largest of any rank and layer

  // Between two calls, without what an idle worker has: what a report calls own memory.
  std::int64_t kept() const { return graph + edges + nodes + residual + state + attention + scratch + converted; }
  // At most.
  std::int64_t own() const { return kept() + latent + runtime; }
};

// What a rank has to compute with.
struct RankSize {
  int world_size = 1;
  Precision precision = Precision::f32;
  int threads = 1;
};
MemoryEstimate estimate_memory(const ModelDescription& model, const RankSize& rank);

}  // namespace tradewind::checkpoint
