#include "tests/unit/dist/ranks.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <exception>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "worker/dist/process_group.h"

namespace tradewind::testing {

Listener::Listener() : descriptor(socket(AF_INET, SOCK_STREAM, 0)), port(0) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (descriptor < 0 || bind(descriptor, generic, length) != 0 || listen(descriptor, 64) != 0 ||
      getsockname(descriptor, generic, &length) != 0) {
    throw std::runtime_error("cannot listen on 127.0.0.1");
  }
  port = ntohs(address.sin_port);
}

dist::Rendezvous rendezvous_at(const Listener& listener, int rank, int world_size) {
  dist::Rendezvous rendezvous;
  rendezvous.rank = rank;
  rendezvous.world_size = world_size;
  rendezvous.master_address = "127.0.0.1";
  rendezvous.master_port = listener.port;
  if (rank == 0) rendezvous.listening_descriptor = listener.descriptor;
  rendezvous.join_timeout = rendezvous.timeout = std::chrono::seconds(60);
  return rendezvous;
}

void run_ranks(int world_size, const std::function<void(dist::Communicator&)>& as_rank,
               const std::function<void(dist::Rendezvous&)>& adjust) {
  const Listener listener;
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
        dist::Rendezvous rendezvous = rendezvous_at(listener, rank, world_size);
        if (adjust) adjust(rendezvous);
        const auto communicator = dist::make_process_group(rendezvous);
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
