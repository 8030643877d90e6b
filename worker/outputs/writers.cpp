#include "worker/outputs/writers.h"

#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>

namespace tradewind::outputs {
namespace {

// The boot tells two machines of one name apart, and is the same in every container of a machine.
std::string host_identity() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  return boot.empty() ? std::string(name.data()) : boot;
}

}  // namespace

Site site_of(const std::string& folder) {
  struct statfs status {};
  const bool seen = ::statfs(folder.empty() ? "." : folder.c_str(), &status) == 0;
  // Magic numbers are 32 bits, whatever the sign and width of the field.
  constexpr std::uint64_t magic_bits = std::numeric_limits<std::uint32_t>::max();
  const std::uint64_t magic = static_cast<std::uint64_t>(status.f_type) & magic_bits;
  return {host_identity(), seen ? static_cast<std::int64_t>(magic) : 0};
}

bool is_coherent_between_hosts(std::int64_t file_system) {
  constexpr std::array<std::int64_t, 5> coherent = {0x0BD00BD0,   // Lustre
                                                    0x47504653,   // GPFS
                                                    0x19830326,   // BeeGFS
                                                    0x00C36400,   // CephFS
                                                    0x20030528};  // OrangeFS
  return std::find(coherent.begin(), coherent.end(), file_system) != coherent.end();
}

std::vector<int> writers_of(const std::vector<Site>& sites) {
  const bool one_host =
      std::all_of(sites.begin(), sites.end(), [&](const Site& site) { return site.host == sites.front().host; });
  const bool coherent = std::all_of(sites.begin(), sites.end(), [&](const Site& site) {
    return is_coherent_between_hosts(site.file_system) && site.file_system == sites.front().file_system;
  });
  std::vector<int> writers;
  for (std::size_t rank = 0; rank < sites.size(); ++rank) {
    if (one_host || coherent || sites[rank].host == sites.front().host) writers.push_back(static_cast<int>(rank));
  }
  return writers;
}

}  // namespace tradewind::outputs
