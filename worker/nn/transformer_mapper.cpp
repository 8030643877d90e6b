#include "worker/nn/transformer_mapper.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "common/errors.h"
#include "worker/nn/chunks.h"
#include "worker/nn/move.h"

namespace tradewind::nn {
namespace {

std::shared_ptr<AttentionPlan> plan_of(const checkpoint::AttentionDescription& attention,
                                       const MapperContext& context) {
  return std::make_shared<AttentionPlan>(context.sources, context.destinations, attention.window,
                                         query_offset(attention, context.sources.rows(), context.destinations.rows()),
                                         context.communicator, context.place);
}

}  // namespace

TransformerMapper::TransformerMapper(const checkpoint::TransformerMapperDescription& description,
                                     const MapperContext& context)
    : attention_(description.attention, context.precision, plan_of(description.attention, context),
                 context.place + " attention", context.least_pieces),
      destination_embedding_(description.destination_embedding, context.precision),
      norm_source_(description.norm_source, context.precision),
      norm_destination_(description.norm_destination, context.precision),
      norm_mlp_(description.norm_mlp, context.precision),
      mlp_(description.mlp, context.precision) {
  if (description.source_embedding) source_embedding_.emplace(*description.source_embedding, context.precision);
  if (description.extractor) extractor_.emplace(*description.extractor, context.precision);
  const std::int64_t least = std::max<std::int64_t>(1, context.least_pieces);
  chunk_limit_ = std::max<std::int64_t>(1, (context.destinations.rows() + least - 1) / least);
  chunk_ = chunk_rows(std::max(mlp_.widest(), attention_.channels()), chunk_limit_);
}

void TransformerMapper::move_to(at::Device device) {
  move_all(device, attention_, source_embedding_, destination_embedding_, norm_source_, norm_destination_, norm_mlp_,
           mlp_, extractor_, fixed_embedded_, fixed_query_);
  chunk_ = chunk_rows(std::max(mlp_.widest(), attention_.channels()), chunk_limit_, device);
}

std::int64_t TransformerMapper::outputs() const {
  return extractor_ ? extractor_->outputs(attention_.outputs()) : attention_.outputs();
}

void TransformerMapper::embed_destinations(const RowSource& rows, std::int64_t begin, at::Tensor embedded,
                                           Workspace& workspace) const {
  const std::int64_t count = embedded.size(0);
  at::Tensor raw = workspace.take(Workspace::input, count, rows.columns());
  rows.range(begin, begin + count, raw);
  destination_embedding_(raw, std::move(embedded), workspace);
}

void TransformerMapper::prepare_destinations(at::Tensor embedded, std::int64_t begin, const SameRows* condition,
                                             at::Tensor query, Workspace& workspace) const {
  norm_destination_(embedded, begin, condition, embedded, workspace);
  attention_.queries(embedded, begin, std::move(query), workspace);
}

void TransformerMapper::fix_destinations(const at::Tensor& rows, Workspace& workspace) {
  const std::int64_t count = rows.size(0);
  const TensorRows source(rows, workspace.operations());
  fixed_embedded_ = at::empty({count, attention_.outputs()}, rows.options());
  const bool fixes_queries = !norm_destination_.conditional();
  if (fixes_queries) fixed_query_ = at::empty({count, attention_.channels()}, rows.options());
  for (std::int64_t begin = 0; begin < count; begin += chunk_) {
    const std::int64_t part = std::min(chunk_, count - begin);
    const at::Tensor embedded = fixed_embedded_.narrow(0, begin, part);
    embed_destinations(source, begin, embedded, workspace);
    if (fixes_queries) prepare_destinations(embedded, begin, nullptr, fixed_query_.narrow(0, begin, part), workspace);
  }
}

// x: the embedded, normalised rows, which become the result.
void TransformerMapper::finish(std::int64_t begin, const at::Tensor& attended, const SameRows* condition, at::Tensor x,
                               const Sink& sink, Workspace& workspace) const {
  attention_.add_projection(attended, x, workspace);
  at::Tensor normalized = workspace.take(Workspace::normalized, x.size(0), x.size(1));
  norm_mlp_(x, begin, condition, normalized, workspace);
  mlp_(normalized, x, true, workspace);
  if (!extractor_) {
    sink(begin, x);
    return;
  }
  at::Tensor extracted = workspace.take(Workspace::result, x.size(0), outputs());
  (*extractor_)(x, extracted, false, workspace);
  sink(begin, extracted);
}

void TransformerMapper::operator()(const RowSource& sources, const RowSource* destinations, const SameRows* condition,
                                   const Sink& sink, dist::Communicator& communicator, Workspace& workspace) const {
  if (!destinations && !fixed_embedded_.defined()) throw InternalFault("a mapper without destinations");
  const auto prepare = [&](const at::Tensor& raw) {
    at::Tensor x = raw;
    if (source_embedding_) {
      x = workspace.take(Workspace::embedded, raw.size(0), source_embedding_->outputs());
      (*source_embedding_)(raw, x, workspace);
    }
    at::Tensor normalized = workspace.take(Workspace::normalized, x.size(0), x.size(1));
    norm_source_(x, 0, condition, normalized, workspace);
    return normalized;
  };
  const KeyMemory keys = attention_.keys(sources, prepare, chunk_, communicator, workspace);
  const auto queries = [&](std::int64_t begin, std::int64_t count) {
    at::Tensor embedded = workspace.take(Workspace::embedded, count, attention_.outputs());
    at::Tensor query = workspace.take(Workspace::query, count, attention_.channels());
    if (destinations) {
      embed_destinations(*destinations, begin, embedded, workspace);
    } else {
      embedded.copy_(fixed_embedded_.narrow(0, begin, count));
    }
    if (destinations || !fixed_query_.defined()) {
      prepare_destinations(embedded, begin, condition, query, workspace);
    } else {
      query.copy_(fixed_query_.narrow(0, begin, count));
    }
    return Attention::Asked{query, embedded};
  };
  const auto finish_rows = [&](std::int64_t first, const at::Tensor& attended, const at::Tensor& embedded) {
    for_each_chunk(attended.size(0), chunk_, workspace, [&](std::int64_t begin, std::int64_t count) {
      finish(first + begin, attended.narrow(0, begin, count), condition, embedded.narrow(0, begin, count), sink,
             workspace);
    });
  };
  attention_.attend(keys, queries, finish_rows, chunk_, communicator, workspace);
}

}  // namespace tradewind::nn
