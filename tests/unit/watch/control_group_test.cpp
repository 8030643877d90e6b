// Control groups of both versions as files in a folder: the group's own limits and those above it.
#include "launcher/watch/control_group.h"
#include "tests/helpers/temporary_folder.h"

#include <doctest/doctest.h>

#include "tests/unit/watch/processes.h"

using namespace tradewind::launcher;
using namespace tradewind::testing;

namespace {

const std::string version_1 =
    "29 25 0:25 / /sys/fs/cgroup/cpu,cpuacct rw shared:8 - cgroup cgroup rw,cpu,cpuacct\n"
    "30 25 0:26 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory\n"
    "31 25 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
const std::string version_2 = "31 25 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";

double cpus(const tradewind::test::TemporaryFolder& root) {
  const auto quota = cpu_quota(0, root.path);
  return quota ? quota->cpus : 0;
}

}  // namespace

TEST_CASE("the CPU quota of version 2, of the group or one above it") {
  const tradewind::test::TemporaryFolder root;
  root.write("proc/self/mountinfo", version_2);
  root.write("proc/self/cgroup", "0::/kubepods/pod1/box\n");
  const std::string groups = "sys/fs/cgroup/kubepods/";
  CHECK(cpus(root) == 0);
  root.write(groups + "pod1/box/cpu.max", "max 100000\n");
  CHECK(cpus(root) == 0);
  root.write(groups + "pod1/cpu.max", "350000 100000\n");
  CHECK(cpus(root) == 3.5);
  CHECK(cpu_quota(0, root.path)->group == "/sys/fs/cgroup/kubepods/pod1");
  root.write(groups + "cpu.max", "200000 50000\n");
  CHECK(cpus(root) == 3.5);
  root.write(groups + "pod1/box/cpu.max", "20000 10000\n");
  CHECK(cpus(root) == 2);
  root.write("sys/fs/cgroup/cpu.max", "100000 100000\n");  // a container's own root
  CHECK(cpus(root) == 1);
  for (const char* odd : {"", "0 100000\n", "-5 100000\n", "nan 1\n", "100000 0\n", "100000\n"}) {
    root.write("sys/fs/cgroup/cpu.max", odd);
    CHECK(cpus(root) == 2);
  }
}

TEST_CASE("the CPU quota of version 1, beside a unified hierarchy") {
  const tradewind::test::TemporaryFolder root;
  root.write("proc/self/mountinfo", version_1);
  root.write("proc/self/cgroup", "4:memory:/m\n3:cpu,cpuacct:/docker/abc/task\n0::/other\n");
  const std::string groups = "sys/fs/cgroup/cpu,cpuacct/docker/";
  root.write(groups + "abc/task/cpu.cfs_quota_us", "-1\n");
  root.write(groups + "abc/task/cpu.cfs_period_us", "100000\n");
  CHECK(cpus(root) == 0);
  root.write(groups + "abc/cpu.cfs_quota_us", "150000\n");
  root.write(groups + "abc/cpu.cfs_period_us", "50000\n");
  CHECK(cpus(root) == 3);
  CHECK(cpu_quota(0, root.path)->group == "/sys/fs/cgroup/cpu,cpuacct/docker/abc");
  // `cpu` is no part of another controller's name, and of a process of another group nothing follows.
  root.write("proc/7/cgroup", "3:cpuset:/docker/abc/task\n0::/other\n");
  CHECK_FALSE(cpu_quota(7, root.path));
}

TEST_CASE("a mount that shows a part of the hierarchy only, and a group outside of it") {
  const tradewind::test::TemporaryFolder root;
  root.write("proc/self/mountinfo", "31 25 0:27 /box\\0401 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  root.write("sys/fs/cgroup/cpu.max", "400000 100000\n");
  root.write("sys/fs/cgroup/job/cpu.max", "100000 100000\n");
  root.write("proc/self/cgroup", "0::/box 1/job\n");
  CHECK(cpus(root) == 1);
  root.write("proc/self/cgroup", "0::/box 1\n");
  CHECK(cpus(root) == 4);
  for (const char* outside : {"0::/box 12/job\n", "0::/elsewhere/job\n", "0::/../job\n"}) {
    root.write("proc/self/cgroup", outside);
    CHECK(cpus(root) == 4);
  }
  root.write("proc/self/mountinfo", "");
  CHECK(cpus(root) == 0);
}

TEST_CASE("memory limits: the least of all levels, and the swap beside it") {
  const tradewind::test::TemporaryFolder root;
  root.write("proc/self/mountinfo", version_2);
  root.write("proc/self/cgroup", "0::/slice/job\n");
  CHECK_FALSE(memory_limit(0, root.path));
  root.write("sys/fs/cgroup/slice/job/memory.max", "max\n");
  root.write("sys/fs/cgroup/slice/memory.max", "1073741824\n");
  REQUIRE(memory_limit(0, root.path));
  CHECK(memory_limit(0, root.path)->bytes == 1 << 30);
  CHECK(memory_limit(0, root.path)->swap_bytes == 0);
  CHECK(memory_limit(0, root.path)->group == "/sys/fs/cgroup/slice");
  root.write("sys/fs/cgroup/slice/memory.swap.max", "4096\n");
  CHECK(memory_limit(0, root.path)->swap_bytes == 4096);
  root.write("sys/fs/cgroup/slice/job/memory.max", "536870912\n");
  CHECK(memory_limit(0, root.path)->bytes == 1 << 29);

  root.write("proc/self/mountinfo", version_1);
  root.write("proc/self/cgroup", "4:memory:/slice/job\n0::/\n");
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK_FALSE(memory_limit(0, root.path));
  root.write("sys/fs/cgroup/memory/slice/job/memory.limit_in_bytes", "1048576\n");
  root.write("sys/fs/cgroup/memory/slice/job/memory.memsw.limit_in_bytes", "1148576\n");
  CHECK(memory_limit(0, root.path)->bytes == 1048576);
  CHECK(memory_limit(0, root.path)->swap_bytes == 100000);
}

TEST_CASE("memory of the host") {
  const tradewind::test::TemporaryFolder root;
  CHECK(host_memory(root.path).total == 0);
  root.write("proc/meminfo", "MemTotal:  2048 kB\nMemFree: 1 kB\nMemAvailable:    1024 kB\nSwapFree: 3 kB\n");
  CHECK(host_memory(root.path).total == 2048 * 1024);
  CHECK(host_memory(root.path).available == 1024 * 1024);
  CHECK(host_memory(root.path).swap_free == 3 * 1024);
}
