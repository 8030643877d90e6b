// What the telemetry page costs: nanoseconds of each kind of update, and of all updates of a step.
#include <ATen/ATen.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <vector>

#include "worker/telemetry/watched_communicator.h"

namespace {

using namespace tradewind;
using Clock = std::chrono::steady_clock;

// The least of several rounds: what else runs on the machine only adds.
double nanoseconds(const std::function<void()>& update) {
  constexpr int rounds = 20, updates = 20000;
  double least = 1e18;
  for (int round = 0; round < rounds; ++round) {
    const auto begin = Clock::now();
    for (int i = 0; i < updates; ++i) update();
    least = std::min(least, std::chrono::duration<double, std::nano>(Clock::now() - begin).count() / updates);
  }
  return least;
}

}  // namespace

int main() {
  telemetry::Recorder recorder(-1);
  const at::Tensor rows = at::ones({8, 8});
  const std::vector<std::int64_t> counts(4, 2), many(64, 1);
  const double layer = nanoseconds([&] { recorder.entering("processor layer 12"); });
  const auto call = [&](const std::vector<std::int64_t>& split) {
    return nanoseconds([&] {
      recorder.call_enqueued("all_to_all", rows, split, split, "processor layer 12");
      recorder.call_started();
      recorder.call_done();
    });
  };
  const double call_of_4 = call(counts), call_of_64 = call(many);
  const double file = nanoseconds([&] {
    dist::FileWatch watch(recorder, dist::FileUse::write, "forecast.grib");
    watch.moved(1 << 20);
  });
  constexpr int layers = 18, messages = 100;
  const double step = layers * (layer + call_of_4) + 4 * call_of_4 + messages * file;
  std::printf("a layer begins              %6.0f ns\n", layer);
  std::printf("a collective of 4 ranks     %6.0f ns\n", call_of_4);
  std::printf("a collective of 64 ranks    %6.0f ns\n", call_of_64);
  std::printf("a message is written        %6.0f ns\n", file);
  std::printf("a step: %d layers with a collective each, 4 more collectives, %d messages: %.1f us\n", layers, messages,
              step / 1000);
  std::printf("which is 0.5 %% of a step of %.1f ms\n", step / 1000 / 1000 / 0.005);
}
