#include "worker/dist/process_group.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <torch/csrc/distributed/c10d/HashStore.hpp>

#include "tests/unit/dist/ranks.h"
#include "worker/dist/door.h"
#include "worker/dist/meeting.h"

namespace {

using tradewind::dist::Communicator;
using tradewind::dist::Traffic;
using tradewind::testing::run_ranks;
using Counts = std::vector<std::int64_t>;

const std::vector<at::ScalarType> kDtypes = {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16,
                                             at::kInt,   at::kLong,   at::kBool};

// Rows which `from` sends to `to`: some pairs exchange nothing, and rank 1 sends nothing at all.
std::int64_t rows_between(int from, int to) { return from == 1 ? 0 : (3 * from + 5 * to) % 4; }

// Row i that `from` sends to `to`, two columns. Small integers: exact in every dtype.
at::Tensor message(int from, int to, std::int64_t count, at::ScalarType dtype) {
  const at::Tensor values = at::arange(2 * count, at::kLong).add(from * 31 + to * 7).remainder(120).reshape({count, 2});
  return dtype == at::kBool ? values.remainder(3).eq(0) : values.to(dtype);
}

Counts send_counts(const Communicator& communicator) {
  Counts counts;
  for (int to = 0; to < communicator.size(); ++to) counts.push_back(rows_between(communicator.rank(), to));
  return counts;
}

Counts receive_counts(const Communicator& communicator) {
  Counts counts;
  for (int from = 0; from < communicator.size(); ++from) counts.push_back(rows_between(from, communicator.rank()));
  return counts;
}

at::Tensor sent(const Communicator& communicator, at::ScalarType dtype) {
  std::vector<at::Tensor> parts;
  parts.reserve(static_cast<std::size_t>(communicator.size()));
  for (int to = 0; to < communicator.size(); ++to) {
    parts.push_back(message(communicator.rank(), to, rows_between(communicator.rank(), to), dtype));
  }
  return at::cat(parts);
}

at::Tensor expected(const Communicator& communicator, at::ScalarType dtype) {
  std::vector<at::Tensor> parts;
  parts.reserve(static_cast<std::size_t>(communicator.size()));
  for (int from = 0; from < communicator.size(); ++from) {
    parts.push_back(message(from, communicator.rank(), rows_between(from, communicator.rank()), dtype));
  }
  return at::cat(parts);
}

void check_same(const at::Tensor& got, const at::Tensor& wanted) {
  CHECK((got.scalar_type() == wanted.scalar_type()));
  CHECK((got.sizes() == wanted.sizes()));
  CHECK(at::equal(got, wanted));
}

void check_traffic(const Traffic& got, std::int64_t calls, std::int64_t sent, std::int64_t received) {
  CHECK(got.calls == calls);
  CHECK(got.bytes_sent == sent);
  CHECK(got.bytes_received == received);
  CHECK(got.seconds > 0);
}

}  // namespace

TEST_CASE("all_to_all moves uneven and empty parts of every dtype") {
  for (const int ranks : {2, 3, 4, 8}) {
    CAPTURE(ranks);
    run_ranks(ranks, [](Communicator& communicator) {
      for (const at::ScalarType dtype : kDtypes) {
        const at::Tensor got = communicator.all_to_all(sent(communicator, dtype), send_counts(communicator),
                                                       receive_counts(communicator), "test/all to all");
        check_same(got, expected(communicator, dtype));
      }
      const Counts none(static_cast<std::size_t>(communicator.size()), 0);
      check_same(communicator.all_to_all(at::empty({0, 3, 4}), none, none, "test/nothing"), at::empty({0, 3, 4}));
    });
  }
}

TEST_CASE("all_to_all takes rows of any layout") {
  run_ranks(3, [](Communicator& communicator) {
    const Counts one_each(3, 1);
    // Columns of a wider tensor, transposed; and rows without columns of their own.
    const at::Tensor wide = at::arange(12, at::kFloat).reshape({4, 3}).add(100 * communicator.rank());
    const at::Tensor got = communicator.all_to_all(wide.t(), one_each, one_each, "test");
    for (int from = 0; from < 3; ++from) {
      check_same(got[from], at::arange(12, at::kFloat).reshape({4, 3}).t()[communicator.rank()].add(100 * from));
    }
    const at::Tensor numbers = at::arange(3, at::kLong).add(10 * communicator.rank());
    check_same(communicator.all_to_all(numbers, one_each, one_each, "test"),
               at::tensor({0, 10, 20}, at::kLong).add(communicator.rank()));
  });
}

TEST_CASE("rows in flight arrive whatever is called meanwhile, in any order of waiting") {
  run_ranks(3, [](Communicator& communicator) {
    auto first = communicator.start_all_to_all(sent(communicator, at::kFloat), send_counts(communicator),
                                               receive_counts(communicator), "test/first");
    auto second = communicator.start_all_to_all(sent(communicator, at::kLong), send_counts(communicator),
                                                receive_counts(communicator), "test/second");
    at::Tensor sum = at::full({1}, communicator.rank() + 1, at::kLong);
    communicator.all_reduce_sum(sum, "test/sum");
    CHECK(sum.item<std::int64_t>() == 6);
    check_same(second->wait(), expected(communicator, at::kLong));
    check_same(first->wait(), expected(communicator, at::kFloat));
    // One that nobody waits for.
    communicator.start_all_to_all(sent(communicator, at::kLong), send_counts(communicator),
                                  receive_counts(communicator), "test/dropped");
    communicator.barrier("test");
  });
}

TEST_CASE("all_gather returns every rank's rows, uneven ones and none included") {
  for (const int ranks : {2, 3, 4, 7}) {
    CAPTURE(ranks);
    run_ranks(ranks, [](Communicator& communicator) {
      for (const at::ScalarType dtype : kDtypes) {
        Counts counts;
        std::vector<at::Tensor> parts;
        for (int rank = 0; rank < communicator.size(); ++rank) {
          counts.push_back((rank * 5 + 3) % 4);
          parts.push_back(message(rank, rank, counts.back(), dtype));
        }
        check_same(communicator.all_gather(parts[static_cast<std::size_t>(communicator.rank())], counts, "test"),
                   at::cat(parts));
      }
    });
  }
}

TEST_CASE("all_reduce_sum adds in every dtype, with the same bits on every rank") {
  for (const int ranks : {2, 3, 5}) {
    CAPTURE(ranks);
    std::mutex mutex;
    std::vector<at::Tensor> results;
    run_ranks(ranks, [&](Communicator& communicator) {
      const int n = communicator.size(), rank = communicator.rank();
      for (const at::ScalarType dtype : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kInt, at::kLong}) {
        at::Tensor values = at::arange(10, at::kLong).mul(rank + 1).to(dtype);
        communicator.all_reduce_sum(values, "test");
        check_same(values, at::arange(10, at::kLong).mul(n * (n + 1) / 2).to(dtype));
      }
      at::Tensor flags = at::arange(n + 1, at::kLong).eq(rank);
      communicator.all_reduce_sum(flags, "test");
      check_same(flags, at::arange(n + 1, at::kLong).lt(n));
      at::Tensor strided = at::full({4, 4}, 1.0F).t().slice(0, 0, 4, 2);
      communicator.all_reduce_sum(strided, "test");
      check_same(strided, at::full({2, 4}, static_cast<float>(n)));
      at::Tensor nothing = at::empty({0, 3});
      communicator.all_reduce_sum(nothing, "test");
      at::Tensor thirds = at::full({100}, 1.0F / static_cast<float>(3 + rank));
      communicator.all_reduce_sum(thirds, "test");
      const std::lock_guard<std::mutex> lock(mutex);
      results.push_back(thirds);
    });
    for (const at::Tensor& one : results) CHECK(at::equal(one, results[0]));
  }
}

TEST_CASE("broadcast gives the root's values to all") {
  run_ranks(4, [](Communicator& communicator) {
    for (const at::ScalarType dtype : kDtypes) {
      for (int root = 0; root < 4; ++root) {
        at::Tensor values = message(communicator.rank(), 0, 5, dtype);
        communicator.broadcast(values, root, "test");
        check_same(values, message(root, 0, 5, dtype));
      }
    }
    at::Tensor strided = at::full({3, 2}, communicator.rank(), at::kLong).t();
    communicator.broadcast(strided, 2, "test");
    check_same(strided, at::full({2, 3}, 2, at::kLong));
    at::Tensor nothing = at::empty({0});
    communicator.broadcast(nothing, 1, "test");
  });
}

TEST_CASE("what was sent and received is counted by place and phase") {
  for (const int ranks : {2, 3, 4}) {
    CAPTURE(ranks);
    run_ranks(ranks, [](Communicator& communicator) {
      const int n = communicator.size(), rank = communicator.rank();
      std::int64_t sent_rows = 0, received_rows = 0;
      for (int other = 0; other < n; ++other) {
        if (other == rank) continue;
        sent_rows += rows_between(rank, other);
        received_rows += rows_between(other, rank);
      }
      for (int i = 0; i < 2; ++i) {
        communicator.all_to_all(sent(communicator, at::kFloat), send_counts(communicator), receive_counts(communicator),
                                "encoder halo");
      }
      Counts counts(static_cast<std::size_t>(n), 3);
      counts[0] = 1;
      const std::int64_t own = rank == 0 ? 1 : 3, all = 3 * n - 2;
      communicator.all_gather(at::zeros({own, 5}, at::kHalf), counts, "encoder.gather");
      at::Tensor values = at::ones({60}, at::kDouble);
      communicator.all_reduce_sum(values, "check");
      communicator.broadcast(values, 1, "seed");
      communicator.barrier("end");

      const auto& places = communicator.statistics().by_place();
      CHECK(places.size() == 5);
      check_traffic(places.at("encoder halo"), 2, 2 * sent_rows * 8, 2 * received_rows * 8);
      check_traffic(places.at("encoder.gather"), 1, own * 10 * (n - 1), (all - own) * 10);
      check_traffic(places.at("check"), 1, 2 * 480 * (n - 1) / n, 2 * 480 * (n - 1) / n);
      check_traffic(places.at("seed"), 1, rank == 1 ? 480 * (n - 1) : 0, rank == 1 ? 0 : 480);
      check_traffic(places.at("end"), 1, 0, 0);
      const auto phases = communicator.statistics().by_phase();
      CHECK(phases.size() == 4);
      check_traffic(phases.at("encoder"), 3, 2 * sent_rows * 8 + own * 10 * (n - 1),
                    2 * received_rows * 8 + (all - own) * 10);
      CHECK(communicator.statistics().total().calls == 6);
    });
  }
}

TEST_CASE("a call that breaks the contract is refused before anything is sent") {
  run_ranks(2, [](Communicator& communicator) {
    const at::Tensor rows = at::zeros({2, 2});
    CHECK_THROWS_WITH_AS(communicator.all_to_all(rows, {1}, {1, 1}, "layer 3"), doctest::Contains("'layer 3'"),
                         tradewind::InternalFault);
    CHECK_THROWS_AS(communicator.all_to_all(rows, {2, 1}, {1, 1}, "layer 3"), tradewind::InternalFault);
    CHECK_THROWS_AS(communicator.all_gather(rows, {1, 1}, "layer 3"), tradewind::InternalFault);
    at::Tensor bytes = at::zeros({2}, at::kByte);
    CHECK_THROWS_WITH_AS(communicator.all_reduce_sum(bytes, "layer 3"), doctest::Contains("Byte"),
                         tradewind::InternalFault);
    CHECK_THROWS_AS(communicator.broadcast(bytes, 2, "layer 3"), tradewind::InternalFault);
    communicator.barrier("still usable");
  });
}

TEST_CASE("the network interface can be chosen, and one that does not exist is named") {
  const auto barrier = [](Communicator& communicator) { communicator.barrier("test"); };
  run_ranks(2, barrier, [](tradewind::dist::Rendezvous& rendezvous) { rendezvous.interfaces = "lo"; });
  CHECK_THROWS_WITH_AS(
      run_ranks(2, barrier, [](tradewind::dist::Rendezvous& rendezvous) { rendezvous.interfaces = "nowhere0"; }),
      doctest::Contains("nowhere0"), tradewind::EnvironmentFault);
  const auto of_one = [](tradewind::dist::Rendezvous& rendezvous) {
    if (rendezvous.rank == 0) rendezvous.interfaces = "nowhere0";
    rendezvous.timeout = std::chrono::seconds(2);  // the other waits in vain
  };
  CHECK_THROWS_WITH_AS(run_ranks(2, barrier, of_one), doctest::Contains("nowhere0"), tradewind::EnvironmentFault);
}

// Who has come in a rank's place does not know what the rank would say.
class OtherWords : public c10d::HashStore {
 public:
  void set(const std::string& key, const std::vector<std::uint8_t>& value) override {
    std::vector<std::uint8_t> changed = value;
    if (key == "tradewind/address/2") changed[tradewind::dist::proof_bytes] ^= 1;
    c10d::HashStore::set(key, changed);
  }
};

TEST_CASE("a connection that leads to somebody else is noticed before it is used") {
  const auto barrier = [](Communicator& communicator) { communicator.barrier("test"); };
  const auto store = c10::make_intrusive<OtherWords>();
  store->setTimeout(std::chrono::seconds(5));  // rank 2 waits in vain for the others
  CHECK_THROWS_WITH_AS(run_ranks(3, barrier, {}, store), doctest::Contains("in the place of rank 2\n"),
                       tradewind::dist::ConnectionFault);
}

TEST_CASE("once all are connected, nobody else can come") {
  const auto before = tradewind::dist::listening_sockets();
  std::mutex mutex;
  int tried = 0;
  run_ranks(2, [&](Communicator& communicator) {
    communicator.barrier("connected");
    std::unique_lock<std::mutex> lock(mutex);
    for (const int door : tradewind::dist::listening_sockets()) {
      if (before.contains(door)) continue;
      sockaddr_storage address{};
      socklen_t size = sizeof address;
      auto* generic = reinterpret_cast<sockaddr*>(&address);
      REQUIRE(getsockname(door, generic, &size) == 0);
      const int stranger = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
      CHECK(connect(stranger, generic, size) == -1);
      CHECK(errno == EINPROGRESS);
      pollfd ready{stranger, POLLOUT, 0};
      CHECK(poll(&ready, 1, 100) == 0);
      close(stranger);
      ++tried;
    }
    lock.unlock();
    communicator.barrier("still usable");
  });
  CHECK(tried == 4);  // two doors, seen by both
}

TEST_CASE("one rank needs no rendezvous") {
  const auto communicator = tradewind::dist::make_process_group({}, {});
  CHECK(communicator->size() == 1);
  check_same(communicator->start_all_to_all(at::ones({2, 3}), {2}, {2}, "test")->wait(), at::ones({2, 3}));
}
