// How the ranks of a host share its CPUs: threads of a rank, and the CPUs it is pinned to.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace tradewind::launcher {

// The CPUs that this process may use, those of a core beside each other and cores of a package together.
std::vector<int> usable_cpus();
// CPUs of this host that are switched on, whoever may use them.
int online_cpus();

// CPU time that a control group lets ranks of this host have, counted in CPUs; 0: as much as there are CPUs.
struct Quota {
  double cpus = 0;
  bool own = false;  // of this process alone: whoever started it is under another
};
// That of this process. A quota leaves all CPUs visible and rations their time (docker --cpus, CPUQuota=).
Quota quota_of_process();

struct CpuShare {
  int threads = 1;
  std::vector<int> cpus;  // to pin to, ascending; empty: as inherited
};

// The share of one of `local_size` ranks that all start with the same `usable` CPUs. OMP_NUM_THREADS in `variables` (a
// number, or a list for nested levels) wins; a rank is pinned unless it has more threads than its share, the ranks
// outnumber the CPUs, it is alone, or a variable says where threads go (OMP_PROC_BIND, OMP_PLACES, GOMP_CPU_AFFINITY).
// With a `quota` for all of them, no more threads than their share of it, one at least.
// UserError when OMP_NUM_THREADS is no count. Pure.
CpuShare share_of_rank(const std::vector<int>& usable, int local_rank, int local_size,
                       const std::map<std::string, std::string>& variables, double quota = 0);

// Whether whoever started this process has already given each of the `local_size` ranks of this host CPUs of its own:
// all of them together then have no more than the host's. `on_host`: CPUs of this host, or of the job on it.
bool already_shared(int usable, int local_size, int on_host);

// The share of rank `local_rank` of this host: of the `usable` CPUs of this process when it starts the ranks of this
// host itself
// (`dealt_out` false); when each rank was started by somebody else, who may have dealt out the CPUs, by what it was
// given.
CpuShare share_of_host(const std::vector<int>& usable, int local_rank, int local_size, bool dealt_out,
                       const std::map<std::string, std::string>& variables, const Quota& quota = {});

}  // namespace tradewind::launcher
