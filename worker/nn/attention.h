// Multi-head attention of query rows to key rows that are spread over ranks; see AttentionDescription. A rank owns
// consecutive rows of both.
//
// Where a window limits what is seen, a rank fetches the key rows within the window of its query rows and attends
// alone. Where it does not, keys, values and queries change from rows to heads: a rank then holds all rows of its share
// of the heads, so nothing grows with the number of rows but what shrinks with the number of ranks, and nothing is
// computed twice. docs/communication.md compares it with a ring of keys.
// Not thread-safe (workspace, communicator).
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/checkpoint/description.h"
#include "common/precision.h"
#include "worker/dist/communicator.h"
#include "worker/dist/halo.h"
#include "worker/dist/shards.h"
#include "worker/nn/head_split.h"
#include "worker/nn/layer_norm.h"
#include "worker/nn/linear.h"
#include "worker/nn/operations.h"
#include "worker/nn/row_source.h"
#include "worker/nn/workspace.h"

namespace tradewind::nn {

// Which key rows come from where; the same for all layers of the same window.
class AttentionPlan {
 public:
  // window: absent or at least as many as there are keys: every key is seen. Collective.
  AttentionPlan(const dist::Shards& keys, const dist::Shards& queries, std::optional<std::int64_t> window,
                std::int64_t offset, dist::Communicator& communicator, const std::string& place);
  // Whether ranks share the work by heads instead of rows.
  bool splits_heads() const { return !halo_; }
  const dist::Shards& keys() const { return keys_; }
  const dist::Shards& queries() const { return queries_; }
  // Key rows that this rank's queries see, and those of them that it owns.
  dist::RowRange seen() const { return seen_; }
  dist::RowRange seen_own() const { return seen_own_; }
  // Number of this rank's first query row.
  std::int64_t first_query() const { return first_query_; }
  // The others (rows before the own ones first), made by their owners. Collective.
  at::Tensor fetch(const RowSource& own, dist::Communicator& communicator, const std::string& place) const;
  void move_to(at::Device device);

 private:
  dist::Shards keys_, queries_;
  dist::RowRange seen_, seen_own_;
  std::int64_t first_query_;
  std::optional<dist::HaloPlan> halo_;
  at::Tensor send_;  // own rows to hand over, int64
};

class Attention {
 public:
  // least_rounds: where heads are split, keys and queries of a rank go in at least so many parts.
  Attention(const checkpoint::AttentionDescription& description, Precision precision,
            std::shared_ptr<AttentionPlan> plan, std::string place, std::int64_t least_rounds);
  void move_to(at::Device device);

  std::int64_t channels() const { return heads_ * head_size_; }
  std::int64_t outputs() const { return projection_.outputs(); }
  // Queries (n, channels) of normalised rows, the first of which is own row `first`.
  void queries(const at::Tensor& normalized, std::int64_t first, at::Tensor out, Workspace& workspace) const;

  // What a raw source row is before the projections: embedded and normalised, (n, inputs), valid until the thread's
  // next call.
  using Prepare = std::function<at::Tensor(const at::Tensor& raw)>;
  // Keys of everything that this rank's work needs; chunk: rows prepared at a time. Collective.
  KeyMemory keys(const RowSource& own, const Prepare& prepare, std::int64_t chunk, dist::Communicator& communicator,
                 Workspace& workspace) const;
  // Asked for the queries of own rows [begin, begin + count), then told their result: (count, channels) both, and given
  // back `rows`, which may be anything of these rows. The result may be written in the queries' memory. Called from
  // several threads (chunks.h), by one thread for the same range; ranges are larger than `chunk` when heads are split.
  // Collective.
  struct Asked {
    at::Tensor query, rows;
  };
  using Queries = std::function<Asked(std::int64_t begin, std::int64_t count)>;
  using Sink = std::function<void(std::int64_t begin, const at::Tensor& attended, const at::Tensor& rows)>;
  void attend(const KeyMemory& keys, const Queries& queries, const Sink& sink, std::int64_t chunk,
              dist::Communicator& communicator, Workspace& workspace) const;
  // x (n, outputs) += projection(attended)
  void add_projection(const at::Tensor& attended, at::Tensor x, Workspace& workspace) const;

 private:
  void project_keys(const at::Tensor& normalized, std::int64_t position, at::Tensor key, at::Tensor value,
                    Workspace& workspace) const;
  void add_rows(const at::Tensor& raw, const Prepare& prepare, std::int64_t position, KeyMemory& keys,
                Workspace& workspace) const;
  KeyMemory keys_by_heads(const RowSource& own, const Prepare& prepare, dist::Communicator& communicator,
                          Workspace& workspace) const;
  void attend_by_heads(const KeyMemory& keys, const Queries& queries, const Sink& sink,
                       dist::Communicator& communicator, Workspace& workspace) const;
  std::int64_t rows_per_round(const dist::Shards& rows) const;

  std::int64_t heads_, head_size_, offset_, least_rounds_;
  at::ScalarType type_;  // of keys and values on a device other than the CPU
  Linear query_, key_, value_, projection_;
  std::optional<LayerNorm> query_norm_, key_norm_;
  bool rotary_;
  Scores scores_;
  std::shared_ptr<AttentionPlan> plan_;
  std::string place_;
};

// Position of the first query when that of the first key is 0.
std::int64_t query_offset(const checkpoint::AttentionDescription& description, std::int64_t keys, std::int64_t queries);

}  // namespace tradewind::nn
