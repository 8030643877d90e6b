#include "worker/nn/chunks.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <atomic>

#include "common/checkpoint/layer_limits.h"

namespace tradewind::nn {
namespace {

int threads_for(const Workspace& workspace) {
  return workspace.device().is_cpu() && !at::in_parallel_region() ? at::get_num_threads() : 1;
}

}  // namespace

void for_each_task(std::int64_t count, Workspace& workspace, const std::function<void(std::int64_t)>& work) {
  const auto threads = static_cast<int>(std::min<std::int64_t>(count, threads_for(workspace)));
  if (threads <= 1) {
    for (std::int64_t i = 0; i < count; ++i) work(i);
    return;
  }
  workspace.reserve_threads(at::get_num_threads());
  const bool inference = c10::InferenceMode::is_enabled();
  std::atomic<std::int64_t> next{0};
  at::parallel_for(0, threads, 1, [&](std::int64_t, std::int64_t) {
    const c10::InferenceMode same_as_caller(inference);
    for (std::int64_t i = next++; i < count; i = next++) work(i);
  });
}

std::int64_t shared_chunk(std::int64_t rows, std::int64_t chunk, const Workspace& workspace) {
  return checkpoint::limits::shared_chunk(rows, chunk, threads_for(workspace));
}

void for_each_chunk(std::int64_t rows, std::int64_t chunk, Workspace& workspace,
                    const std::function<void(std::int64_t begin, std::int64_t count)>& work) {
  const std::int64_t size = shared_chunk(rows, chunk, workspace);
  for_each_task((rows + size - 1) / size, workspace,
                [&](std::int64_t i) { work(i * size, std::min(size, rows - i * size)); });
}

}  // namespace tradewind::nn
