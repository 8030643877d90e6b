#include "worker/nn/attention.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "common/checkpoint/layer_limits.h"
#include "common/errors.h"
#include "worker/nn/chunks.h"
#include "worker/nn/move.h"
#include "worker/nn/operations.h"
#include "worker/weights/bind.h"

namespace tradewind::nn {
namespace {

std::optional<LayerNorm> make_norm(const std::optional<checkpoint::LayerNormDescription>& description) {
  if (!description) return std::nullopt;
  return LayerNorm(*description);
}

// Rows of each rank in round `round` of `size` rows.
std::vector<std::int64_t> round_counts(const dist::Shards& rows, std::int64_t round, std::int64_t size) {
  std::vector<std::int64_t> counts;
  for (const std::int64_t own : rows.sizes()) {
    counts.push_back(std::clamp<std::int64_t>(own - round * size, 0, size));
  }
  return counts;
}

std::int64_t rounds_of(const dist::Shards& rows, std::int64_t size) {
  return (rows.range(0).size() + size - 1) / size;  // rank 0 has the most rows
}

}  // namespace

std::int64_t query_offset(const checkpoint::AttentionDescription& description, std::int64_t keys,
                          std::int64_t queries) {
  return description.aligned_to_end ? keys - queries : 0;
}

AttentionPlan::AttentionPlan(const dist::Shards& keys, const dist::Shards& queries, std::optional<std::int64_t> window,
                             std::int64_t offset, dist::Communicator& communicator, const std::string& place)
    : keys_(keys), queries_(queries), seen_{0, keys.rows()}, first_query_(queries.range(communicator.rank()).begin) {
  const dist::RowRange own = keys_.range(communicator.rank()), mine = queries_.range(communicator.rank());
  seen_own_ = own;
  send_ = at::empty({0}, at::kLong);
  const bool alone = communicator.size() == 1;
  if (alone) halo_.emplace(keys_, std::vector<std::int64_t>{}, communicator, place);
  if (!window || *window >= keys.rows()) return;
  seen_ = {std::clamp<std::int64_t>(mine.begin + offset - *window, 0, keys.rows()),
           std::clamp<std::int64_t>(mine.end + offset + *window, 0, keys.rows())};
  if (mine.size() == 0 || seen_.size() <= 0) seen_ = {own.begin, own.begin};  // nothing to see
  seen_own_ = {std::clamp(own.begin, seen_.begin, seen_.end), std::clamp(own.end, seen_.begin, seen_.end)};
  if (alone) return;
  std::vector<std::int64_t> needed(static_cast<std::size_t>(seen_.size()));
  std::iota(needed.begin(), needed.end(), seen_.begin);
  halo_.emplace(keys_, needed, communicator, place + " plan");
  send_ = at::tensor(halo_->rows_to_send(), at::kLong);
}

at::Tensor AttentionPlan::fetch(const RowSource& own, dist::Communicator& communicator,
                                const std::string& place) const {
  at::Tensor selected = at::empty({send_.size(0), own.columns()}, send_.options().dtype(at::kFloat));
  if (selected.size(0) > 0) own.rows(send_, selected);
  return halo_->exchange_selected(selected, communicator, place);
}

void AttentionPlan::move_to(at::Device device) { move_part(send_, device); }

Attention::Attention(const checkpoint::AttentionDescription& description, Precision precision,
                     std::shared_ptr<AttentionPlan> plan, std::string place, std::int64_t least_rounds)
    : heads_(description.heads),
      head_size_(description.head_size),
      offset_(query_offset(description, plan->keys().rows(), plan->queries().rows())),
      least_rounds_(std::max<std::int64_t>(1, least_rounds)),
      type_(scalar_type(precision)),
      query_(description.query, precision),
      key_(description.key, precision),
      value_(description.value, precision),
      projection_(description.projection, precision),
      query_norm_(make_norm(description.query_norm)),
      key_norm_(make_norm(description.key_norm)),
      rotary_(description.rotary),
      plan_(std::move(plan)),
      place_(std::move(place)) {
  const std::string& path = description.query.weight.path;
  for (const Linear* linear : {&query_, &key_, &value_}) {
    if (linear->outputs() != channels()) {
      throw UserError("the projections of an attention do not have " + std::to_string(heads_) + " heads of " +
                          std::to_string(head_size_),
                      path, "the checkpoint is damaged or of an unknown layout");
    }
  }
  if (rotary_ && head_size_ % 2 != 0) {
    throw UserError("rotary embeddings need an even head size, not " + std::to_string(head_size_), path);
  }
  scores_.window = description.window.value_or(-1);
  scores_.softcap = description.softcap;
  if (description.alibi_slopes) {
    scores_.slopes = weights::bind_float(*description.alibi_slopes);
    if (scores_.slopes.numel() != heads_) {
      throw UserError(
          "ALiBi slopes for " + std::to_string(scores_.slopes.numel()) + " heads, not " + std::to_string(heads_),
          description.alibi_slopes->path, "the checkpoint is damaged or of an unknown layout");
    }
  }
}

void Attention::move_to(at::Device device) {
  move_all(device, query_, key_, value_, projection_, query_norm_, key_norm_, scores_.slopes, *plan_);
}

void Attention::queries(const at::Tensor& normalized, std::int64_t first, at::Tensor out, Workspace& workspace) const {
  query_(normalized, out, workspace);
  if (query_norm_) (*query_norm_)(out, out, workspace);
  if (rotary_) workspace.operations().rotate(out, plan_->first_query() + first, heads_, head_size_);
}

void Attention::project_keys(const at::Tensor& normalized, std::int64_t position, at::Tensor key, at::Tensor value,
                             Workspace& workspace) const {
  key_(normalized, key, workspace);
  if (key_norm_) (*key_norm_)(key, key, workspace);
  if (rotary_) workspace.operations().rotate(key, position, heads_, head_size_);
  value_(normalized, value, workspace);
}

// Raw rows that start at key `position`, into the table of the seen keys.
void Attention::add_rows(const at::Tensor& raw, const Prepare& prepare, std::int64_t position, KeyMemory& keys,
                         Workspace& workspace) const {
  const at::Tensor normalized = prepare(raw);
  at::Tensor key = workspace.take(Workspace::attended, raw.size(0), channels());
  at::Tensor value = workspace.take(Workspace::result, raw.size(0), channels());
  project_keys(normalized, position, key, value, workspace);
  workspace.operations().add_keys(keys, key, value, position - plan_->seen().begin);
}

KeyMemory Attention::keys(const RowSource& own, const Prepare& prepare, std::int64_t chunk,
                          dist::Communicator& communicator, Workspace& workspace) const {
  if (plan_->splits_heads()) return keys_by_heads(own, prepare, communicator, workspace);
  const at::Tensor halo = plan_->fetch(own, communicator, place_);
  const dist::RowRange seen = plan_->seen(), seen_own = plan_->seen_own();
  const std::int64_t first = plan_->keys().range(communicator.rank()).begin;
  KeyMemory keys = workspace.operations().take_keys(seen.size(), heads_, head_size_, type_, workspace);
  const auto add = [&](std::int64_t begin, std::int64_t end, const auto& raw_rows) {
    for_each_chunk(end - begin, chunk, workspace, [&](std::int64_t first_of_chunk, std::int64_t count) {
      add_rows(raw_rows(begin + first_of_chunk, count), prepare, begin + first_of_chunk, keys, workspace);
    });
  };
  add(seen.begin, seen_own.begin,
      [&](std::int64_t begin, std::int64_t count) { return halo.narrow(0, begin - seen.begin, count); });
  add(seen_own.begin, seen_own.end, [&](std::int64_t begin, std::int64_t count) {
    at::Tensor raw = workspace.take(Workspace::input, count, own.columns());
    own.range(begin - first, begin - first + count, raw);
    return raw;
  });
  add(seen_own.end, seen.end, [&](std::int64_t begin, std::int64_t count) {
    return halo.narrow(0, begin - seen.begin - seen_own.size(), count);
  });
  return keys;
}

// A few MiB of each of query, key and value at a time; the same on all ranks.
std::int64_t Attention::rows_per_round(const dist::Shards& rows) const {
  namespace limits = checkpoint::limits;
  const std::int64_t most = std::max(limits::round_least_rows, limits::round_bytes / 4 / channels());
  return std::clamp<std::int64_t>((rows.range(0).size() + least_rounds_ - 1) / least_rounds_, 1, most);
}

KeyMemory Attention::keys_by_heads(const RowSource& own, const Prepare& prepare, dist::Communicator& communicator,
                                   Workspace& workspace) const {
  const HeadSplit split(heads_, head_size_, communicator);
  const dist::Shards& rows = plan_->keys();
  const std::int64_t size = rows_per_round(rows), first = rows.range(communicator.rank()).begin;
  const Operations& operations = workspace.operations();
  KeyMemory memory = operations.take_keys(rows.rows(), split.heads().size(), head_size_, type_, workspace);
  for (std::int64_t round = 0; round < rounds_of(rows, size); ++round) {
    const auto counts = round_counts(rows, round, size);
    const std::int64_t count = counts[static_cast<std::size_t>(communicator.rank())], begin = round * size;
    at::Tensor key = workspace.take(Workspace::attended, count, channels());
    at::Tensor value = workspace.take(Workspace::result, count, channels());
    if (count > 0) {
      at::Tensor raw = workspace.take(Workspace::input, count, own.columns());
      own.range(begin, begin + count, raw);
      project_keys(prepare(raw), first + begin, key, value, workspace);
    }
    const at::Tensor keys = split.by_heads(key, counts, communicator, place_);
    const at::Tensor values = split.by_heads(value, counts, communicator, place_);
    std::int64_t at = 0;
    for (int rank = 0; rank < rows.ranks(); ++rank) {
      const std::int64_t from = counts[static_cast<std::size_t>(rank)];
      if (from > 0 && split.heads().size() > 0) {
        operations.add_keys(memory, keys.narrow(0, at, from), values.narrow(0, at, from),
                            rows.range(rank).begin + begin);
      }
      at += from;
    }
  }
  return memory;
}

void Attention::attend_by_heads(const KeyMemory& keys, const Queries& queries, const Sink& sink,
                                dist::Communicator& communicator, Workspace& workspace) const {
  const HeadSplit split(heads_, head_size_, communicator);
  const dist::Shards& rows = plan_->queries();
  const std::int64_t size = rows_per_round(rows);
  Scores scores = scores_;
  if (scores.slopes.defined()) scores.slopes = scores.slopes.narrow(0, split.heads().begin, split.heads().size());
  for (std::int64_t round = 0; round < rounds_of(rows, size); ++round) {
    const auto counts = round_counts(rows, round, size);
    const std::int64_t count = counts[static_cast<std::size_t>(communicator.rank())], begin = round * size;
    Asked asked{workspace.take(Workspace::query, 0, channels()), {}};
    if (count > 0) asked = queries(begin, count);
    at::Tensor mine = split.by_heads(asked.query, counts, communicator, place_);
    std::int64_t at = 0;
    for (int rank = 0; rank < rows.ranks(); ++rank) {
      const std::int64_t from = counts[static_cast<std::size_t>(rank)];
      if (from > 0 && split.heads().size() > 0) {
        workspace.operations().attend(keys, mine.narrow(0, at, from), rows.range(rank).begin + begin + offset_, scores);
      }
      at += from;
    }
    split.by_rows(mine, counts, asked.query, communicator, place_);
    if (count > 0) sink(begin, asked.query, asked.rows);
  }
}

void Attention::attend(const KeyMemory& keys, const Queries& queries, const Sink& sink, std::int64_t chunk,
                       dist::Communicator& communicator, Workspace& workspace) const {
  if (plan_->splits_heads()) {
    attend_by_heads(keys, queries, sink, communicator, workspace);
    return;
  }
  const dist::RowRange own = plan_->queries().range(communicator.rank());
  for_each_chunk(own.size(), chunk, workspace, [&](std::int64_t begin, std::int64_t count) {
    const Asked asked = queries(begin, count);
    workspace.operations().attend(keys, asked.query, own.begin + begin + offset_ - plan_->seen().begin, scores_);
    sink(begin, asked.query, asked.rows);
  });
}

void Attention::add_projection(const at::Tensor& attended, at::Tensor x, Workspace& workspace) const {
  projection_.add(attended, std::move(x), workspace);
}

}  // namespace tradewind::nn
