#include "tests/unit/dist/ranks.h"

#include <exception>
#include <mutex>
#include <thread>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <vector>

#include "worker/dist/process_group.h"

namespace tradewind::testing {

dist::Rendezvous rendezvous_of(int rank, int world_size) {
  dist::Rendezvous rendezvous;
  rendezvous.rank = rank;
  rendezvous.world_size = world_size;
  rendezvous.master_address = "127.0.0.1";
  rendezvous.join_timeout = rendezvous.timeout = std::chrono::seconds(60);
  return rendezvous;
}

void run_ranks(int world_size, const std::function<void(dist::Communicator&)>& as_rank,
               const std::function<void(dist::Rendezvous&)>& adjust, c10::intrusive_ptr<c10d::Store> store) {
  if (!store) store = c10::make_intrusive<c10d::HashStore>();
  std::mutex mutex;
  std::exception_ptr first, lost;
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(world_size));
  const auto keep = [&] {
    const std::lock_guard<std::mutex> lock(mutex);
    try {
      throw;
    } catch (const dist::ConnectionFault&) {
      if (!lost) lost = std::current_exception();
    } catch (...) {
      if (!first) first = std::current_exception();
    }
  };
  for (int rank = 0; rank < world_size; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        // Gone when this rank fails, which ends the others' calls.
        dist::Rendezvous rendezvous = rendezvous_of(rank, world_size);
        if (adjust) adjust(rendezvous);
        const auto communicator = dist::make_process_group(rendezvous, store);
        try {
          as_rank(*communicator);
        } catch (...) {
          keep();  // before the communicator goes: the others' errors are of its going
        }
      } catch (...) {
        keep();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (first || lost) std::rethrow_exception(first ? first : lost);
}

}  // namespace tradewind::testing
