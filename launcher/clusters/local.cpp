// This host: the launcher starts all ranks itself.
#include "common/errors.h"
#include "launcher/clusters/registry.h"

namespace tradewind::launcher {

namespace {

// A list whose first entry names no device leaves none.
std::string chosen(const Environment& environment) {
  const auto list = environment.get("CUDA_VISIBLE_DEVICES");
  return list ? " (CUDA_VISIBLE_DEVICES=" + *list + ")" : "";
}

}  // namespace

std::optional<Placement> recognise_local(const Question& question) {
  const config::RunnerConfig& runner = question.runner;
  Placement placement;
  if (!runner.parallel) return placement;
  const int gpus = question.on_gpus ? question.probes.gpus() : 0;
  if (runner.cluster.world_size) {
    placement.world_size = *runner.cluster.world_size;
    placement.decided_by = {{"cluster.manual", std::to_string(placement.world_size)}};
  } else if (runner.world_size) {
    placement.world_size = *runner.world_size;
    placement.decided_by = {{"world_size", std::to_string(placement.world_size)}};
  } else if (question.on_gpus) {
    placement.world_size = gpus;
    placement.decided_by = {{"visible GPUs", std::to_string(gpus)}};
  }
  if (question.on_gpus && gpus == 0)
    throw UserError("no GPU is visible here" + chosen(question.environment) + ", but `device` asks for one", "device",
                    "write device: cpu, or check CUDA_VISIBLE_DEVICES and the driver (nvidia-smi)");
  if (question.on_gpus && placement.world_size > gpus)
    throw UserError(std::to_string(placement.world_size) + " ranks on " + std::to_string(gpus) +
                        (gpus == 1 ? " visible GPU" : " visible GPUs"),
                    runner.cluster.world_size ? "cluster.manual" : "world_size",
                    "start at most one rank per GPU: world_size=" + std::to_string(gpus) + ", or use more hosts");
  if (runner.cluster.port) placement.master_port = *runner.cluster.port;
  return placement;
}

}  // namespace tradewind::launcher
