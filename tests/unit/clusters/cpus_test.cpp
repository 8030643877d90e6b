#include "launcher/launch/cpus.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "common/errors.h"
#include "launcher/process/spawn.h"

using namespace tradewind;
using namespace tradewind::launcher;
using Cpus = std::vector<int>;

namespace {

const Cpus eight = {0, 4, 1, 5, 2, 6, 3, 7};  // two threads a core

CpuShare share(int rank, int ranks, const std::map<std::string, std::string>& variables = {}) {
  return share_of_rank(eight, rank, ranks, variables);
}

}  // namespace

TEST_CASE("ranks get whole cores of their own") {
  CHECK(share(0, 2).cpus == Cpus{0, 1, 4, 5});
  CHECK(share(1, 2).cpus == Cpus{2, 3, 6, 7});
  CHECK(share(1, 2).threads == 4);
  CHECK(share(0, 1).cpus.empty());
  CHECK(share(0, 1).threads == 8);
}

TEST_CASE("uneven shares cover all CPUs once, with as many threads everywhere") {
  Cpus all;
  for (int rank = 0; rank < 3; ++rank) {
    const CpuShare own = share(rank, 3);
    CHECK(own.threads == 2);
    CHECK(own.cpus.size() == (rank < 2 ? 3 : 2));
    all.insert(all.end(), own.cpus.begin(), own.cpus.end());
  }
  std::sort(all.begin(), all.end());
  CHECK(all == Cpus{0, 1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("more ranks than CPUs are not pinned") {
  CHECK(share(9, 20).threads == 1);
  CHECK(share(9, 20).cpus.empty());
}

TEST_CASE("the user's choice wins") {
  CHECK(share(0, 2, {{"OMP_NUM_THREADS", "6"}}).threads == 6);
  CHECK(share(0, 2, {{"OMP_NUM_THREADS", "6"}}).cpus.empty());
  CHECK(share(0, 2, {{"OMP_NUM_THREADS", "3,2"}}).threads == 3);
  CHECK(share(0, 2, {{"OMP_NUM_THREADS", "3,2"}}).cpus.size() == 4);
  CHECK(share(0, 2, {{"OMP_PLACES", "cores"}}).cpus.empty());
  for (const char* bad : {"0", "-1", "many", "2x"}) CHECK_THROWS_AS(share(0, 2, {{"OMP_NUM_THREADS", bad}}), UserError);
}

TEST_CASE("CPUs that the scheduler has dealt out are not divided again") {
  CHECK(already_shared(2, 4, 8));
  CHECK_FALSE(already_shared(8, 4, 8));
  CHECK(already_shared(1, 3, 8));
}

TEST_CASE("threads are counted within the quota of the control group") {
  const auto threads = [](int ranks, double quota, const std::map<std::string, std::string>& variables = {}) {
    return share_of_rank(eight, 0, ranks, variables, quota).threads;
  };
  CHECK(threads(1, 0) == 8);
  CHECK(threads(1, 1) == 1);
  CHECK(threads(1, 3.5) == 3);
  CHECK(threads(1, 0.25) == 1);
  CHECK(threads(1, 64) == 8);
  CHECK(threads(2, 6) == 3);
  CHECK(threads(3, 2) == 1);
  CHECK(threads(1, 2, {{"OMP_NUM_THREADS", "6"}}) == 6);
  // They may run on any CPU of the rank's share.
  CHECK(share_of_rank(eight, 1, 2, {}, 4).cpus == Cpus{2, 3, 6, 7});
}

TEST_CASE("a quota of a rank's own is not divided again") {
  const auto threads = [](const Quota& quota, bool dealt_out) {
    return share_of_host(eight, 0, 4, dealt_out, {}, quota).threads;
  };
  CHECK(threads({.cpus = 4}, true) == 1);
  CHECK(threads({.cpus = 4}, false) == 1);
  CHECK(threads({.cpus = 4, .own = true}, false) == 1);  // all ranks are below it
  CHECK(threads({.cpus = 2, .own = true}, true) == 2);
}

TEST_CASE("this host has CPUs, each listed once") {
  Cpus cpus = usable_cpus();
  REQUIRE_FALSE(cpus.empty());
  std::sort(cpus.begin(), cpus.end());
  CHECK(std::adjacent_find(cpus.begin(), cpus.end()) == cpus.end());
  CHECK(static_cast<int>(cpus.size()) <= online_cpus());
}

TEST_CASE("a worker runs on the CPUs that it is given") {
  const Cpus own = usable_cpus();
  const int last = *std::max_element(own.begin(), own.end());
  boost::asio::io_context context;
  const Spawned grep = spawn(
      context, {.executable = "/bin/grep", .arguments = {"^Cpus_allowed_list", "/proc/self/status"}, .cpus = {last}});
  std::array<char, 256> text{};
  const ssize_t size = ::read(grep.output.get(), text.data(), text.size());
  CHECK(std::string(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0) ==
        "Cpus_allowed_list:\t" + std::to_string(last) + "\n");
  ::waitpid(grep.pid, nullptr, 0);
}
