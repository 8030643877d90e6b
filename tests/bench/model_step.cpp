// Seconds per model call and peak memory of a checkpoint on random input, without input, output and launcher.
// model_step CKPT [calls] [f32|bf16|f16] [threads]
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "common/checkpoint/checkpoint.h"
#include "common/checkpoint/opening/obstacles.h"
#include "common/errors.h"
#include "worker/kernels/kernels.h"
#include "worker/nn/model.h"

using namespace tradewind;

namespace {

double wall() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

rusage usage() {
  rusage now{};
  getrusage(RUSAGE_SELF, &now);
  return now;
}

// Of this process now, in MiB: resident, and of that anonymous (not shared with other ranks through the page cache).
void print_memory(const char* when) {
  std::FILE* status = std::fopen("/proc/self/status", "r");
  char line[256];
  long resident = 0, anonymous = 0;
  while (status && std::fgets(line, sizeof line, status)) {
    std::sscanf(line, "VmRSS: %ld", &resident);
    std::sscanf(line, "RssAnon: %ld", &anonymous);
  }
  if (status) std::fclose(status);
  std::printf("%-8s resident %ld MiB, anonymous %ld MiB, peak %ld MiB\n", when, resident / 1024, anonymous / 1024,
              usage().ru_maxrss / 1024);
}

int run(int argc, char** argv) {
  const int calls = argc > 2 ? std::atoi(argv[2]) : 3;
  nn::ModelOptions options;
  if (argc > 3 && std::strcmp(argv[3], "bf16") == 0) options.precision = Precision::bf16;
  if (argc > 3 && std::strcmp(argv[3], "f16") == 0) options.precision = Precision::f16;
  if (argc > 4) at::set_num_threads(std::atoi(argv[4]));
  std::printf("threads %d, kernels %s\n", at::get_num_threads(), kernels::best().name);
  print_memory("start");
  double start = wall();
  const checkpoint::Checkpoint checkpoint = checkpoint::open_checkpoint(argv[1]);
  const auto alone = dist::make_single_communicator();
  const auto model = nn::make_model(checkpoint.model, options, *alone);
  std::printf("load     %.2f s\n", wall() - start);
  const checkpoint::DatasetDescription& shape = checkpoint::only_dataset(checkpoint.model);
  at::manual_seed(1);
  const at::Tensor x = at::randn({shape.input_steps, shape.nodes.count, shape.input_variables});
  print_memory("loaded");
  for (int call = 0; call < calls; ++call) {
    const rusage before = usage();
    start = wall();
    const at::Tensor y = model->predict({x}, {.call = call}).front();
    const double elapsed = wall() - start;
    const rusage after = usage();
    std::printf("call %-3d %.4f s, processor time %.4f s user, %.4f s system\n", call + 1, elapsed,
                seconds(after.ru_utime) - seconds(before.ru_utime), seconds(after.ru_stime) - seconds(before.ru_stime));
  }
  print_memory("end");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "model_step CKPT [calls] [f32|bf16|f16] [threads]\n");
    return 2;
  }
  try {
    return run(argc, argv);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
