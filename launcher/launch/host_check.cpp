#include "launcher/launch/host_check.h"

#include <algorithm>

#include "common/errors.h"

namespace tradewind::launcher {
namespace {

std::string mebibytes(std::int64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

std::string ranks_text(const MemoryNeed& need) {
  if (need.ranks == 1) return "the rank needs about " + mebibytes(need.own);
  return std::to_string(need.ranks) + " ranks on this host need about " + mebibytes(need.own) + " each, " +
         mebibytes(need.own * need.ranks) + " together";
}

}  // namespace

std::string crowd_warning(int ranks, std::size_t cpus, const Quota& quota) {
  const std::string count = std::to_string(ranks) + " ranks";
  if (ranks > 1 && static_cast<std::size_t>(ranks) > cpus)
    return count + " share " + std::to_string(cpus) + (cpus == 1 ? " CPU" : " CPUs") +
           " of this host: each waits for the others; start at most one rank per CPU";
  if (ranks <= 1 || quota.own || quota.cpus <= 0 || quota.cpus >= ranks) return {};
  std::string rationed = std::to_string(quota.cpus);
  rationed.resize(rationed.find('.') + 3);
  return count + " share the time of " + rationed +
         " CPUs, the quota of their control group: each waits for the others; start fewer, or raise the quota";
}

std::string check_memory(const MemoryNeed& need, const std::optional<MemoryLimit>& limit, const HostMemory& host) {
  const char* remedy =
      "use more ranks, on more hosts; or precision: f16 or bf16, or a larger limit (`tradewind inspect CHECKPOINT "
      "--world-size N` tells what N ranks need)";
  const std::int64_t all = need.own * need.ranks, certain = all - all / 4;
  std::string warning;
  const auto against = [&](std::int64_t bytes, std::int64_t swap, const std::string& what, const std::string& where) {
    if (certain > bytes + swap)
      throw EnvironmentFault(ranks_text(need) + " of memory, and " + what + " is " + mebibytes(bytes), where, remedy);
    if (warning.empty() && all + need.mapped > bytes)
      warning = ranks_text(need) + " of memory" +
                (need.mapped > 0 ? " and " + mebibytes(need.mapped) + " of weights" : "") + ", and " + what + " is " +
                mebibytes(bytes) + ": it may not be enough; " + remedy;
  };
  if (limit)
    against(limit->bytes, std::min(limit->swap_bytes, host.swap_free), "the limit of the control group",
            "control group " + limit->group);
  if (host.total > 0) against(host.total, host.swap_free, "the memory of this host", "");
  if (warning.empty() && host.available > 0 && all + need.mapped > host.available)
    warning = ranks_text(need) + " of memory, and " + mebibytes(host.available) +
              " are free on this host now: it may not be enough";
  return warning;
}

}  // namespace tradewind::launcher
