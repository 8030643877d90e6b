// The estimate of a rank's memory for any precision and number of threads, in JSON: what tests/bench/memory.py holds
// against runs.     memory_estimate CKPT RANKS f32|f16|bf16 THREADS
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "common/checkpoint/checkpoint.h"
#include "common/checkpoint/memory_estimate.h"
#include "common/checkpoint/opening/obstacles.h"
#include "common/errors.h"

using namespace tradewind;

int main(int argc, char** argv) {
  const auto precision = argc == 5 ? precision_of(argv[3]) : std::nullopt;
  if (!precision) {
    std::fprintf(stderr, "memory_estimate CKPT RANKS f32|f16|bf16 THREADS\n");
    return 2;
  }
  try {
    const checkpoint::Checkpoint checkpoint = checkpoint::open_checkpoint(argv[1]);
    const checkpoint::MemoryEstimate estimate =
        estimate_memory(checkpoint.model, {std::atoi(argv[2]), *precision, std::atoi(argv[4])});
    const checkpoint::Json told = {
        {"kept", estimate.kept()},         {"graph", estimate.graph},     {"edges", estimate.edges},
        {"nodes", estimate.nodes},         {"state", estimate.state},     {"latent", estimate.latent},
        {"attention", estimate.attention}, {"scratch", estimate.scratch}, {"converted", estimate.converted}};
    std::cout << told.dump() << '\n';
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
