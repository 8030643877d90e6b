// Times the collectives between processes of this host at sizes of halo exchanges: collectives [RANKS ...], 2 and 4
// unless given. Prints, per operation and size, the median of one call in milliseconds and the MiB/s that leave a rank.
#include <ATen/ATen.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <vector>

#include "tests/unit/dist/ranks.h"
#include "worker/dist/process_group.h"

namespace {

using tradewind::dist::Communicator;

constexpr std::int64_t kChannels = 1024;

double median_ms(Communicator& communicator, const std::function<void()>& call) {
  std::vector<double> times;
  for (int i = 0; i < 13; ++i) {
    communicator.barrier("bench");
    const auto begin = std::chrono::steady_clock::now();
    call();
    const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;
    if (i >= 2) times.push_back(taken.count());  // connections and memory are warm by then
  }
  std::nth_element(times.begin(), times.begin() + 5, times.end());
  return times[5];
}

void bench(Communicator& communicator) {
  const int size = communicator.size();
  // One thread computes, as when the ranks of a run share the host's CPUs.
  at::set_num_threads(1);
  const auto report = [&](const char* name, std::int64_t rows, double ms) {
    if (communicator.rank() != 0) return;
    const double mib = static_cast<double>(rows * kChannels * 4 * (size - 1)) / (1 << 20);
    std::printf("%5d  %-28s %10.2f %10.3f %10.0f\n", size, name, mib, ms, mib / ms * 1000);
  };
  for (const std::int64_t rows : {16, 256, 1024, 4096}) {  // to each peer
    const std::vector<std::int64_t> counts(static_cast<std::size_t>(size), rows);
    const at::Tensor all = at::ones({rows * size, kChannels}), own = at::ones({rows, kChannels});
    report("all_to_all", rows, median_ms(communicator, [&] { communicator.all_to_all(all, counts, counts, "bench"); }));
    report("all_gather", rows, median_ms(communicator, [&] { communicator.all_gather(own, counts, "bench"); }));
    const at::Tensor weight = at::ones({kChannels, kChannels});
    const at::Tensor interior = at::ones({256, kChannels});
    report("compute, no exchange", rows, median_ms(communicator, [&] { at::mm(interior, weight); }));
    report("exchange, then compute", rows, median_ms(communicator, [&] {
             communicator.all_to_all(all, counts, counts, "bench");
             at::mm(interior, weight);
           }));
    report("compute while in flight", rows, median_ms(communicator, [&] {
             const auto pending = communicator.start_all_to_all(all, counts, counts, "bench");
             at::mm(interior, weight);
             pending->wait();
           }));
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<int> sizes;
  for (int i = 1; i < argc; ++i) sizes.push_back(std::atoi(argv[i]));
  if (sizes.empty()) sizes = {2, 4};
  std::printf("ranks  operation                     MiB sent         ms      MiB/s\n");
  std::fflush(stdout);
  for (const int size : sizes) {
    const std::string store = "/tmp/tradewind-collectives-" + std::to_string(getpid());
    std::remove(store.c_str());
    std::vector<pid_t> children;
    for (int rank = 0; rank < size; ++rank) {
      const pid_t pid = fork();
      if (pid < 0) return 1;
      if (pid == 0) {
        bench(*tradewind::dist::make_process_group(tradewind::testing::rendezvous_of(rank, size),
                                                   c10::make_intrusive<c10d::FileStore>(store, -1)));
        std::fflush(stdout);
        _exit(0);
      }
      children.push_back(pid);
    }
    for (const pid_t child : children) {
      int status = 0;
      if (waitpid(child, &status, 0) != child || status != 0) return 1;
    }
    std::remove(store.c_str());
  }
  return 0;
}
