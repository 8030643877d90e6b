#include "launcher/launch/host_check.h"

#include <doctest/doctest.h>

#include "common/errors.h"

using namespace tradewind;
using namespace tradewind::launcher;

namespace {

constexpr std::int64_t mebibyte = 1 << 20;
const HostMemory roomy{.total = 64000 * mebibyte, .available = 60000 * mebibyte};

MemoryLimit limit_of(std::int64_t mebibytes, std::int64_t swap = 0) {
  return {.bytes = mebibytes * mebibyte, .swap_bytes = swap * mebibyte, .group = "/job"};
}

}  // namespace

TEST_CASE("more ranks than CPUs, or than CPU time") {
  CHECK(crowd_warning(1, 1, {}).empty());
  CHECK(crowd_warning(8, 8, {}).empty());
  CHECK(crowd_warning(9, 8, {}).starts_with("9 ranks share 8 CPUs of this host"));
  CHECK(crowd_warning(2, 1, {}).starts_with("2 ranks share 1 CPU of this host"));
  CHECK(crowd_warning(4, 64, {.cpus = 4}).empty());
  CHECK(crowd_warning(4, 64, {.cpus = 2.5}).starts_with("4 ranks share the time of 2.50 CPUs"));
  CHECK(crowd_warning(4, 64, {.cpus = 1, .own = true}).empty());
}

TEST_CASE("memory that certainly cannot be enough is refused with both numbers") {
  const MemoryNeed need{.ranks = 2, .own = 1000 * mebibyte, .mapped = 500 * mebibyte};
  CHECK(check_memory(need, limit_of(4000), roomy).empty());
  CHECK(check_memory(need, std::nullopt, roomy).empty());
  // The weights do not fit beside it: the kernel will read them again and again.
  CHECK(check_memory(need, limit_of(2200), roomy).find("2000 MiB together") != std::string::npos);
  CHECK(check_memory(need, limit_of(1600), roomy).find("is 1600 MiB: it may not be enough") != std::string::npos);
  try {
    check_memory(need, limit_of(1400), roomy);
    FAIL("accepted");
  } catch (const EnvironmentFault& error) {
    CHECK(error.message() ==
          "2 ranks on this host need about 1000 MiB each, 2000 MiB together of memory, and the limit of the control "
          "group is 1400 MiB");
    CHECK(error.where() == "control group /job");
    CHECK(error.remedy().starts_with("use more ranks"));
  }
}

TEST_CASE("swap counts where there is some, and the host has limits too") {
  const MemoryNeed need{.own = 1000 * mebibyte};
  HostMemory host = roomy;
  CHECK_THROWS_AS(check_memory(need, limit_of(500, 1000), host), EnvironmentFault);  // none on this host
  host.swap_free = 1000 * mebibyte;
  CHECK_FALSE(check_memory(need, limit_of(500, 1000), host).empty());
  CHECK_THROWS_AS(check_memory(need, limit_of(500, 100), host), EnvironmentFault);
  CHECK_THROWS_WITH_AS(check_memory(need, std::nullopt, {.total = 700 * mebibyte}),
                       doctest::Contains("the memory of this host is 700 MiB"), EnvironmentFault);
  CHECK(check_memory(need, std::nullopt, {.total = 8000 * mebibyte, .available = 900 * mebibyte})
            .find("900 MiB are free on this host now") != std::string::npos);
  CHECK(check_memory(need, std::nullopt, {}).empty());
}
