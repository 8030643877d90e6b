// One rank as a process: rank_process RANK WORLD_SIZE STORE_FILE JOIN_MS TIMEOUT_MS BEHAVIOUR. Behaviours, of the
// last rank (the others always just work): work; die before, or within, a collective; stop before one. Prints "done
// BYTES_SENT", or the error, with "connection: " in front of one that is no cause of its own, and leaves with its exit
// code.
#include <ATen/ATen.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <torch/csrc/distributed/c10d/FileStore.hpp>

#include "worker/dist/process_group.h"

namespace {

using tradewind::dist::Communicator;

// Rows of 1 MiB: enough for some to be on the wire when a rank dies.
at::Tensor big_rows(std::int64_t count, std::int64_t rank) {
  return at::full({count, 1 << 18}, static_cast<float>(rank));
}

void work(Communicator& communicator, const std::string& behaviour) {
  const std::int64_t size = communicator.size(), rank = communicator.rank();
  const bool culprit = rank == size - 1;
  communicator.barrier("load");
  if (culprit && behaviour == "die-before") std::raise(SIGKILL);
  if (culprit && behaviour == "stop") std::raise(SIGSTOP);
  const std::vector<std::int64_t> each(static_cast<std::size_t>(size), 8);
  auto pending = communicator.start_all_to_all(big_rows(8 * size, rank), each, each, "encoder/halo");
  if (culprit && behaviour == "die-within") std::raise(SIGKILL);
  const at::Tensor got = pending->wait();
  for (std::int64_t from = 0; from < size; ++from) {
    if (!got.narrow(0, 8 * from, 8).eq(from).all().item<bool>()) throw tradewind::InternalFault("wrong rows");
  }
  const std::vector<std::int64_t> one_each(static_cast<std::size_t>(size), 1);
  const at::Tensor all = communicator.all_gather(big_rows(1, rank), one_each, "decoder/gather");
  if (!all.select(1, 0).eq(at::arange(size)).all().item<bool>()) throw tradewind::InternalFault("wrong gather");
  std::printf("done %lld\n", static_cast<long long>(communicator.statistics().total().bytes_sent));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) return 99;
  tradewind::dist::Rendezvous rendezvous;
  rendezvous.rank = std::atoi(argv[1]);
  rendezvous.world_size = std::atoi(argv[2]);
  rendezvous.master_address = "127.0.0.1";
  rendezvous.join_timeout = std::chrono::milliseconds(std::atoi(argv[4]));
  rendezvous.timeout = std::chrono::milliseconds(std::atoi(argv[5]));
  try {
    const auto store = c10::make_intrusive<c10d::FileStore>(argv[3], -1);
    work(*tradewind::dist::make_process_group(rendezvous, store), argv[6]);
  } catch (const tradewind::dist::ConnectionFault& error) {
    std::printf("connection: %s\n", error.what());
    return static_cast<int>(error.exit_code());
  } catch (const tradewind::Error& error) {
    std::printf("%s\n", error.what());
    return static_cast<int>(error.exit_code());
  }
  return 0;
}
