#include "tests/unit/nn/over_ranks.h"

#include <c10/core/InferenceMode.h>
#include <doctest/doctest.h>

#include <mutex>

#include "tests/unit/nn/device_path.h"
#include "worker/nn/mapper.h"
#include "worker/nn/processor.h"

namespace tradewind::testing {

double worst(const at::Tensor& ours, const at::Tensor& expected) {
  REQUIRE(ours.sizes() == expected.sizes());
  const double difference = (ours.to(at::kDouble) - expected).abs().max().item<double>();
  return difference / expected.std().item<double>();
}

at::Tensor assemble(int world_size, std::int64_t rows, std::int64_t columns,
                    const std::function<at::Tensor(dist::Communicator&)>& as_rank) {
  at::Tensor whole = at::full({rows, columns}, NAN, at::kFloat);
  std::mutex mutex;
  run_ranks(world_size, [&](dist::Communicator& communicator) {
    const c10::InferenceMode inference;
    const at::Tensor part = as_rank(communicator);
    const dist::RowRange range = dist::Shards(rows, world_size).range(communicator.rank());
    const std::lock_guard<std::mutex> lock(mutex);
    whole.slice(0, range.begin, range.end).copy_(part);
  });
  return whole;
}

at::Tensor run_mapper(const checkpoint::MapperDescription& description, const at::Tensor& sources,
                      const at::Tensor& destinations, std::int64_t columns, bool fixed, int world_size,
                      std::int64_t pieces, std::int64_t kept_bytes, const at::Tensor& condition) {
  return assemble(world_size, destinations.size(0), columns, [&](dist::Communicator& communicator) {
    const dist::Shards source_shards(sources.size(0), world_size), shards(destinations.size(0), world_size);
    nn::Workspace workspace(*testing::operations());
    const auto mapper = nn::make_mapper(
        description, {Precision::f32, source_shards, shards, communicator, "mapper", pieces, workspace, kept_bytes});
    const auto cut = [&](const at::Tensor& all, const dist::Shards& by) {
      const dist::RowRange range = by.range(communicator.rank());
      return all.slice(0, range.begin, range.end).contiguous();
    };
    const at::Tensor mine = cut(destinations, shards);
    const nn::TensorRows source_rows(cut(sources, source_shards), workspace.operations()),
        destination_rows(mine, workspace.operations());
    if (fixed) mapper->fix_destinations(mine, workspace);
    REQUIRE(mapper->outputs() == columns);
    at::Tensor out = at::full({mine.size(0), columns}, NAN, at::kFloat);
    const nn::SameRows same(condition);
    (*mapper)(
        source_rows, fixed ? nullptr : &destination_rows, condition.defined() ? &same : nullptr,
        [&](std::int64_t first, const at::Tensor& rows) { out.narrow(0, first, rows.size(0)).copy_(rows); },
        communicator, workspace);
    return out;
  });
}

at::Tensor run_processor(const checkpoint::ProcessorDescription& description, const at::Tensor& x, int world_size,
                         std::int64_t chunks, std::int64_t kept_bytes, const at::Tensor& condition) {
  return assemble(world_size, x.size(0), x.size(1), [&](dist::Communicator& communicator) {
    const dist::Shards shards(x.size(0), world_size);
    const dist::RowRange range = shards.range(communicator.rank());
    nn::Workspace workspace(*testing::operations());
    const auto processor =
        nn::make_processor(description, {Precision::f32, shards, communicator, chunks, workspace, kept_bytes});
    at::Tensor own = x.slice(0, range.begin, range.end).clone();
    const bool is_same = condition.defined() && condition.size(0) == 1;
    const nn::SameRows same(is_same ? condition : at::Tensor());
    const nn::TensorRows own_condition(
        condition.defined() && !is_same ? condition.slice(0, range.begin, range.end).contiguous() : at::Tensor(),
        workspace.operations());
    const nn::RowSource* given = nullptr;
    if (condition.defined()) given = is_same ? static_cast<const nn::RowSource*>(&same) : &own_condition;
    (*processor)(own, given, communicator, workspace);
    return own;
  });
}

}  // namespace tradewind::testing
