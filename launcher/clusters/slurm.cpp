// Slurm: a task of a step that srun started, or a process inside an allocation, which is to start the step itself.
#include <algorithm>
#include <cstdint>
#include <numeric>

#include "common/errors.h"
#include "launcher/clusters/registry.h"
#include "launcher/clusters/slurm_lists.h"
#include "launcher/clusters/variables.h"

namespace tradewind::launcher {
namespace {

constexpr const char* batch_step = "4294967291";
constexpr const char* extern_step = "4294967292";
constexpr const char* interactive_step = "4294967290";

struct Standing {
  bool task = false;         // started by srun
  bool inside_step = false;  // a step is around this process, though it is no task of it
};

// `12.batch` in the title of a slurmstepd, for this job; empty without one.
std::string step_above(const Question& question, const std::string& job) {
  const std::string title = "slurmstepd: [" + job + ".";
  for (const std::string& command : question.probes.ancestors) {
    if (!command.starts_with(title)) continue;
    return command.substr(title.size(), command.find(']') - title.size());
  }
  return "";
}

// STEP_* variables are inherited by whatever a step submits: those of another job do not fit this one.
bool leaked(Variables& variables, const Question& question) {
  if (variables.text("SLURM_PTY_PORT")) return false;
  if (variables.text("SLURM_STEP_NUM_TASKS") != variables.text("SLURM_NTASKS")) return true;
  const auto step_hosts = variables.text("SLURM_STEP_NODELIST");
  if (!step_hosts) return true;
  const auto own = question.environment.get("SLURMD_NODENAME");
  if (!own || own->empty()) return false;
  const auto hosts = expand_hosts(*step_hosts, "SLURM_STEP_NODELIST");
  return std::find(hosts.begin(), hosts.end(), *own) == hosts.end();
}

Standing standing_of(Variables& variables, const Question& question, const std::string& job) {
  const auto step = variables.text("SLURM_STEP_ID");
  const std::string above = step_above(question, job);
  if (above == "batch" || above == "extern") return {};
  if (above == "interactive") return {.inside_step = true};
  if (!above.empty()) return {.task = step == above, .inside_step = step != above};
  if (!step || *step == batch_step || *step == extern_step) return {};
  if (*step == interactive_step) return {.inside_step = true};
  return {.task = !leaked(variables, question)};
}

// Host of each rank, for the two distributions whose rule is plain.
std::vector<std::string> hosts_by_rank(const std::vector<std::string>& hosts, const std::vector<int>& counts,
                                       const std::string& distribution) {
  if (hosts.size() != counts.size()) return {};
  std::vector<std::string> by_rank;
  if (distribution.empty() || distribution.starts_with("block")) {
    for (std::size_t i = 0; i < hosts.size(); ++i)
      by_rank.insert(by_rank.end(), static_cast<std::size_t>(counts[i]), hosts[i]);
  } else if (distribution.starts_with("cyclic")) {
    const int most = counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
    for (int round = 0; round < most; ++round)
      for (std::size_t i = 0; i < hosts.size(); ++i)
        if (round < counts[i]) by_rank.push_back(hosts[i]);
  }
  return by_rank;
}

// A requeued job keeps its id.
std::string run_of(const Question& question, const std::string& job) {
  const std::string cluster = question.environment.get_or("SLURM_CLUSTER_NAME", "");
  const std::string restarts = question.environment.get_or("SLURM_RESTART_COUNT", "0");
  return file_name_of((cluster.empty() ? "" : cluster + "-") + job + (restarts == "0" ? "" : "-r" + restarts));
}

Placement task_of_step(Variables& variables, const Question& question, const std::string& job) {
  Placement placement{.cluster = ClusterName::slurm, .mode = PlacementMode::member};
  placement.world_size = variables.needed("SLURM_STEP_NUM_TASKS", "srun", 1);
  placement.rank = variables.needed("SLURM_PROCID", "srun");
  placement.local_rank = variables.needed("SLURM_LOCALID", "srun");
  check_rank(placement.rank, placement.world_size, "SLURM_PROCID");
  placement.job = run_of(question, job + "." + variables.text("SLURM_STEP_ID").value_or("0"));
  const auto hosts = variables.text("SLURM_STEP_NODELIST");
  const auto tasks = variables.text("SLURM_STEP_TASKS_PER_NODE");
  const auto host = variables.integer("SLURM_NODEID");
  if (tasks) {
    const auto counts = expand_counts(*tasks, "SLURM_STEP_TASKS_PER_NODE");
    if (host && static_cast<std::size_t>(*host) < counts.size())
      placement.local_size = counts[static_cast<std::size_t>(*host)];
    if (placement.local_size > 0 && placement.local_rank >= placement.local_size)
      throw UserError("rank " + std::to_string(placement.local_rank) + " of its host, where the step has " +
                          std::to_string(placement.local_size) + " (SLURM_STEP_TASKS_PER_NODE=" + *tasks + ")",
                      "variable SLURM_LOCALID",
                      "Slurm sets both: leave them as they are, or unset all SLURM_* variables");
    if (hosts)
      placement.hosts = hosts_by_rank(expand_hosts(*hosts, "SLURM_STEP_NODELIST"), counts,
                                      variables.text("SLURM_DISTRIBUTION").value_or(""));
    if (placement.hosts.size() != static_cast<std::size_t>(placement.world_size)) placement.hosts.clear();
  }
  return placement;
}

// GPUs of the whole allocation; 0 when it does not say.
int gpus_of_allocation(Variables& variables, int hosts) {
  if (const auto all = variables.integer("SLURM_GPUS", 1)) return *all;
  return variables.integer("SLURM_GPUS_ON_NODE").value_or(0) * hosts;
}

// Tasks on each host of the allocation, as Slurm fills it; nothing when it does not say.
std::vector<int> tasks_per_host(Variables& variables) {
  const auto each = variables.text("SLURM_TASKS_PER_NODE");
  return each ? expand_counts(*each, "SLURM_TASKS_PER_NODE") : std::vector<int>{};
}

int sum_of(const std::vector<int>& counts) {
  const std::int64_t sum = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  constexpr std::int64_t most = 1'000'000;
  if (sum > most)
    throw UserError(std::to_string(sum) + " tasks", "variable SLURM_TASKS_PER_NODE",
                    "it is set by Slurm: leave it as it is, or unset all SLURM_* variables");
  return static_cast<int>(sum);
}

// Tasks that the allocation was asked for. A count inherited from the step that submitted the job does not fit its
// tasks per host.
std::optional<int> tasks_of_allocation(Variables& variables, int hosts, std::vector<std::string>& notes) {
  auto tasks = variables.integer("SLURM_NTASKS", 1);
  if (!tasks) tasks = variables.integer("SLURM_NPROCS", 1);  // its older name
  const std::vector<int> counts = tasks_per_host(variables);
  if (tasks) {
    const bool leaked = !counts.empty() && variables.text("SLURM_STEP_NUM_TASKS") && sum_of(counts) != *tasks;
    return leaked ? std::nullopt : tasks;
  }
  // Set when the option was given, also where SLURM_NTASKS is not.
  const auto each = variables.integer("SLURM_NTASKS_PER_NODE", 1);
  if (!each) return std::nullopt;
  if (std::any_of(counts.begin(), counts.end(), [&](int count) { return count != *each; })) {
    notes.push_back("SLURM_NTASKS_PER_NODE=" + std::to_string(*each) +
                    " does not fit SLURM_TASKS_PER_NODE of this job: taken for another job's");
    return std::nullopt;
  }
  return sum_of(std::vector<int>(static_cast<std::size_t>(hosts), *each));
}

// Tasks by SLURM_TASKS_PER_NODE alone, which Slurm sets in any case: one a host, or one a CPU, is what it takes when
// nobody asked for tasks.
std::optional<int> tasks_filled_in(Variables& variables, const Environment& environment) {
  const std::vector<int> counts = tasks_per_host(variables);
  if (std::all_of(counts.begin(), counts.end(), [](int count) { return count <= 1; })) return std::nullopt;
  const std::string cpus = environment.get_or("SLURM_JOB_CPUS_PER_NODE", "");
  if (!cpus.empty() && expand_counts(cpus, "SLURM_JOB_CPUS_PER_NODE") == counts) return std::nullopt;
  return sum_of(counts);
}

// Variables of one job do not speak of different hosts. SLURM_NNODES may be the step's, as it is within one.
void check_hosts(Variables& variables, int hosts) {
  const auto count = variables.integer("SLURM_JOB_NUM_NODES", 1);
  if (!count || *count == hosts) return;
  throw UserError(
      std::to_string(*count) + " hosts, but the job's list of hosts (SLURM_JOB_NODELIST) has " + std::to_string(hosts),
      "variable SLURM_JOB_NUM_NODES", "Slurm sets both: leave them as they are, or unset all SLURM_* variables");
}

Placement inside_allocation(Variables& variables, const Question& question, const std::string& job) {
  Placement placement{.cluster = ClusterName::slurm, .mode = PlacementMode::wrap, .job = run_of(question, job)};
  const auto list =
      variables.text(question.environment.has("SLURM_JOB_NODELIST") ? "SLURM_JOB_NODELIST" : "SLURM_NODELIST");
  if (list) placement.hosts = expand_hosts(*list, "SLURM_JOB_NODELIST");
  const int hosts = std::max(1, static_cast<int>(placement.hosts.size()));
  if (question.environment.has("SLURM_JOB_NODELIST")) check_hosts(variables, hosts);
  const int gpus = question.on_gpus ? gpus_of_allocation(variables, hosts) : 0;
  if (const auto tasks = tasks_of_allocation(variables, hosts, placement.notes)) {
    placement.world_size = *tasks;
  } else if (question.runner.world_size) {
    placement.world_size = *question.runner.world_size;
  } else if (const auto filled = tasks_filled_in(variables, question.environment)) {
    placement.world_size = *filled;
  } else if (gpus > 0) {
    placement.world_size = gpus;
  } else {
    placement.world_size = hosts;
    placement.notes.push_back("the allocation gives no number of tasks and the configuration no world_size: one rank " +
                              std::string("on each of its hosts"));
  }
  if (gpus > 0 && placement.world_size > gpus)
    throw UserError(
        std::to_string(placement.world_size) + " ranks on the " + std::to_string(gpus) + " GPUs of the allocation",
        "Slurm job " + job, "start at most one rank per GPU: ask for more GPUs or fewer tasks");
  return placement;
}

}  // namespace

std::optional<Placement> recognise_slurm(const Question& question) {
  Variables variables(question.environment);
  const auto job = variables.text("SLURM_JOB_ID");
  if (!job) return std::nullopt;
  if (const auto components = variables.integer("SLURM_HET_SIZE"); components && *components > 1)
    throw UserError("a heterogeneous job has several task counts", "variable SLURM_HET_SIZE",
                    "ask for one kind of host, or run in one component with srun --het-group");
  const Standing standing = standing_of(variables, question, *job);
  if (standing.task) {
    Placement placement = task_of_step(variables, question, *job);
    placement.decided_by = variables.evidence();
    return placement;
  }
  Placement placement = inside_allocation(variables, question, *job);
  placement.inside_step = standing.inside_step;
  // A batch script and an interactive step run on the allocation's first host, a plain salloc elsewhere.
  const bool on_first_host = variables.text("SLURM_PROCID").has_value();
  placement.decided_by = variables.evidence();
  if (placement.world_size == 1 && on_first_host) {
    placement.mode = PlacementMode::spawn;
    placement.hosts.clear();
  } else if (!question.probes.program("srun")) {
    throw EnvironmentFault(
        "this is inside Slurm job " + *job + ", but there is no srun on PATH to start " +
            std::to_string(placement.world_size) + " ranks",
        question.probes.host,
        "start it as `srun tradewind run ...` from outside the container, or bind srun, its plugins, "
        "slurm.conf and munge's socket into it; on this host alone: cluster={manual: N}");
  }
  return placement;
}

}  // namespace tradewind::launcher
