// The memory that the layers of a model reuse from call to call (worker/nn/workspace.h), estimated from the
// description: of every purpose the largest that any layer takes. Pure.
#pragma once

#include <cstdint>

#include "common/checkpoint/description.h"
#include "common/checkpoint/scratch_purposes.h"
#include "common/precision.h"

namespace tradewind::checkpoint {

// Rows and edges of one rank that a mapper or a processor works on.
struct LayerRows {
  std::int64_t sources = 0, destinations = 0;  // own rows; of a processor both are its rows
  std::int64_t all_sources = 0;                // of all ranks
  std::int64_t halo = 0, edges = 0;
  std::int64_t source_width = 0, destination_width = 0;  // of what comes in
  bool fixed_destinations = false;                       // given once, as to an encoder
};

class Scratch : private ScratchPurposes {
 public:
  // one_condition: norms are conditioned the same for all rows.
  Scratch(Precision precision, int threads, int ranks, bool one_condition = false)
      : precision_(precision), threads_(threads), ranks_(ranks), one_condition_(one_condition) {}
  void add(const MapperDescription& mapper, const LayerRows& rows);
  void add(const ProcessorDescription& processor, const LayerRows& rows);
  // rows: of the level it comes to, on this rank; channels: theirs.
  void add(const NoiseDescription& noise, std::int64_t rows, std::int64_t channels);
  // Of all threads, each its own; and what they share, keys and values above all.
  std::int64_t chunks() const;
  std::int64_t shared() const;

 private:
  std::int64_t element() const { return bytes_of(precision_); }
  void take(Purpose purpose, std::int64_t rows, std::int64_t columns, std::int64_t bytes = 4);
  std::int64_t chunk(std::int64_t rows, std::int64_t columns, std::int64_t limit) const;
  void linear(const LinearDescription& linear, std::int64_t rows);
  void norm(const NormDescription& norm, std::int64_t rows);
  void sequential(const SequentialDescription& layers, std::int64_t rows);
  // Gives the rows that ask at a time: a chunk's, or a round's where ranks share the heads, which one thread goes
  // through.
  std::int64_t attention(const AttentionDescription& attention, std::int64_t keys, const LayerRows& rows,
                         std::int64_t chunk);

  void mapper(const GraphTransformerMapperDescription& mapper, const LayerRows& rows);
  void mapper(const GraphConvMapperDescription& mapper, const LayerRows& rows);
  void mapper(const TransformerMapperDescription& mapper, const LayerRows& rows);
  void mapper(const PointWiseMapperDescription& mapper, const LayerRows& rows);
  void processor(const TransformerProcessorDescription& processor, const LayerRows& rows);
  void processor(const GraphTransformerProcessorDescription& processor, const LayerRows& rows);
  void processor(const GraphConvProcessorDescription& processor, const LayerRows& rows);
  void processor(const PointWiseProcessorDescription& processor, const LayerRows& rows);
  void graph_block(const GraphTransformerBlockDescription& block, std::int64_t rows);

  Precision precision_;
  int threads_, ranks_;
  bool one_condition_;
  bool by_one_thread_ = false;
  std::int64_t each_[count_] = {}, first_[count_] = {};  // bytes of every thread; of the first beside
};

// Of the widest row between the layers of a sequence.
std::int64_t widest_of(const SequentialDescription& layers);
// Sums of an MLP that begins with a gated layer come in two lanes; width of one.
std::int64_t lanes_of(const SequentialDescription& layers);
std::int64_t first_width(const SequentialDescription& layers);

}  // namespace tradewind::checkpoint
