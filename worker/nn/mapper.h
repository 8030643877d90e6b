// Encoder or decoder: rows of one set of nodes (destinations) computed from rows of another (sources). A family of
// mappers is one class behind this interface and one row in families.cpp. A rank owns its rows of both sets; a mapper
// fetches by itself what it needs of other ranks' sources. Not thread-safe (workspace, communicator).
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>

#include "common/checkpoint/description.h"
#include "common/checkpoint/layer_limits.h"
#include "common/precision.h"
#include "worker/dist/communicator.h"
#include "worker/dist/shards.h"
#include "worker/nn/row_source.h"
#include "worker/nn/workspace.h"

namespace tradewind::nn {

class Mapper {
 public:
  virtual ~Mapper() = default;

  // To the device it is to run on, before the first call.
  virtual void move_to(at::Device device) = 0;

  // Columns of a result row.
  virtual std::int64_t outputs() const = 0;

  // For destinations that never change (rows, inputs): what depends on nothing else is computed here, once.
  virtual void fix_destinations(const at::Tensor& rows, Workspace& workspace) = 0;

  // Called with chunks of this rank's destination rows, each row once: the first row, and (rows, outputs) float32 that
  // is valid during the call. Several threads call at a time (chunks.h).
  using Sink = std::function<void(std::int64_t first, const at::Tensor& rows)>;
  // sources, destinations: own rows; destinations null when they are fixed. condition: of all rows, for norms that take
  // one; null where nothing conditions them. Collective.
  virtual void operator()(const RowSource& sources, const RowSource* destinations, const SameRows* condition,
                          const Sink& sink, dist::Communicator& communicator, Workspace& workspace) const = 0;

  // What an encoder makes of its source rows for the decoder to start from, computed when read; null when they stay as
  // they are. Refers to the mapper, to `sources` and to the workspace.
  virtual std::unique_ptr<RowSource> updated_sources(const RowSource& sources, Workspace& workspace) const {
    (void)sources;
    (void)workspace;
    return nullptr;
  }
};

// What a mapper is told beside its description.
struct MapperContext {
  Precision precision = Precision::f32;
  const dist::Shards& sources;
  const dist::Shards& destinations;
  dist::Communicator& communicator;
  std::string place;              // "encoder" or "decoder"
  std::int64_t least_pieces = 1;  // of destination rows
  Workspace& workspace;
  std::int64_t kept_bytes =
      checkpoint::limits::kept_bytes;  // that a layer may keep of what does not change between steps
};

// Collective: plans what is exchanged.
std::unique_ptr<Mapper> make_mapper(const checkpoint::MapperDescription& description, const MapperContext& context);

}  // namespace tradewind::nn
