#include "launcher/launch/cpus.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <memory>
#include <optional>
#include <thread>
#include <tuple>

#include "common/errors.h"
#include "launcher/watch/control_group.h"

namespace tradewind::launcher {
namespace {

int topology(int cpu, const char* what) {
  std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/" + what);
  int value = 0;
  return file >> value ? value : 0;
}

std::vector<int> allowed_cpus() {
  std::vector<int> cpus;
  constexpr int most = 1 << 16;
  for (int size = 1024; size <= most; size *= 4) {
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(size), [](cpu_set_t* s) { CPU_FREE(s); });
    const std::size_t bytes = CPU_ALLOC_SIZE(size);
    CPU_ZERO_S(bytes, set.get());
    if (::sched_getaffinity(0, bytes, set.get()) != 0) continue;  // the kernel knows more CPUs than that
    for (int cpu = 0; cpu < size; ++cpu)
      if (CPU_ISSET_S(static_cast<std::size_t>(cpu), bytes, set.get())) cpus.push_back(cpu);
    break;
  }
  if (cpus.empty())
    for (unsigned cpu = 0; cpu < std::max(1U, std::thread::hardware_concurrency()); ++cpu)
      cpus.push_back(static_cast<int>(cpu));
  return cpus;
}

std::optional<int> given_threads(const std::map<std::string, std::string>& variables) {
  const auto found = variables.find("OMP_NUM_THREADS");
  if (found == variables.end() || found->second.empty()) return std::nullopt;
  const std::string& text = found->second;
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool ends = end == text.data() + text.size() || *end == ',';
  if (error != std::errc{} || !ends || count < 1)
    throw UserError("`" + text + "` is no number of threads", "OMP_NUM_THREADS",
                    "give a positive integer, or unset it");
  return count;
}

}  // namespace

std::vector<int> usable_cpus() {
  struct Cpu {
    int package, core, number;
  };
  std::vector<Cpu> sorted;
  for (const int cpu : allowed_cpus())
    sorted.push_back({topology(cpu, "physical_package_id"), topology(cpu, "core_id"), cpu});
  std::sort(sorted.begin(), sorted.end(), [](const Cpu& a, const Cpu& b) {
    return std::tie(a.package, a.core, a.number) < std::tie(b.package, b.core, b.number);
  });
  std::vector<int> cpus;
  cpus.reserve(sorted.size());
  for (const Cpu& cpu : sorted) cpus.push_back(cpu.number);
  return cpus;
}

int online_cpus() { return std::max(1, static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN))); }

Quota quota_of_process() {
  const auto own = cpu_quota();
  if (!own) return {};
  // The parent of the first process of a container is not seen; another group of the parent's is a task's own.
  const pid_t parent = ::getppid();
  const auto above = parent > 0 ? cpu_quota(parent) : std::nullopt;
  return {.cpus = own->cpus, .own = !above || above->group != own->group};
}

CpuShare share_of_rank(const std::vector<int>& usable, int local_rank, int local_size,
                       const std::map<std::string, std::string>& variables, double quota) {
  const int ranks = std::max(1, local_size), all = static_cast<int>(usable.size());
  const auto given = given_threads(variables);
  CpuShare share;
  // A thread more than the quota has CPUs is stopped for a part of each period, and all wait for it.
  const int rationed = quota > 0 ? static_cast<int>(quota / ranks) : all;
  share.threads = given.value_or(std::max(1, std::min(all / ranks, rationed)));
  if (ranks == 1 || all < ranks || local_rank >= ranks || share.threads > all / ranks) return share;
  for (const char* name : {"OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY"})
    if (variables.contains(name)) return share;
  // Where it does not come out even the first ones are pinned to one more, but all have as many threads.
  const int each = all / ranks, more = all % ranks;
  const int begin = local_rank * each + std::min(local_rank, more), count = each + (local_rank < more ? 1 : 0);
  share.cpus.assign(usable.begin() + begin, usable.begin() + begin + count);
  std::sort(share.cpus.begin(), share.cpus.end());
  return share;
}

CpuShare share_of_host(const std::vector<int>& usable, int local_rank, int local_size, bool dealt_out,
                       const std::map<std::string, std::string>& variables, const Quota& quota) {
  const double of_all = quota.own && dealt_out ? quota.cpus * std::max(1, local_size) : quota.cpus;
  const int count = static_cast<int>(usable.size());
  if (dealt_out) {
    // Of a job that has only part of the host, the ranks may share that part.
    int of_job = online_cpus();
    if (const auto found = variables.find("SLURM_CPUS_ON_NODE"); found != variables.end()) {
      const std::string& text = found->second;
      int cpus = 0;
      if (std::from_chars(text.data(), text.data() + text.size(), cpus).ec == std::errc{} && cpus > 0)
        of_job = std::min(of_job, cpus);
    }
    if (already_shared(count, local_size, of_job))
      return share_of_rank(usable, 0, 1, variables, of_all / std::max(1, local_size));
  }
  return share_of_rank(usable, local_rank, local_size, variables, of_all);
}

bool already_shared(int usable, int local_size, int on_host) { return usable * std::max(1, local_size) <= on_host; }

}  // namespace tradewind::launcher
