// Which ranks may write a file. Every rank of one host may: they share a page cache. Ranks of several hosts may only
// where the file system keeps concurrent writes to different parts of a file coherent; on any other (NFS, a disk of
// each host, one that is not known) the ranks of rank 0's host do it for all. Pipes and devices have one writer, rank
// 0. Pure, but for site_of().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tradewind::outputs {

// What one rank sees of an output's folder.
struct Site {
  std::string host;              // the same text on the ranks of one host
  std::int64_t file_system = 0;  // its kind, as statfs gives it; 0 when the rank cannot see the folder
};

// Of this process. `folder` may be empty: the current one.
Site site_of(const std::string& folder);

// Lustre, GPFS, BeeGFS, CephFS, OrangeFS: writes of several hosts into one file are coherent.
bool is_coherent_between_hosts(std::int64_t file_system);

// The ranks that may write in the folder, ascending; sites[i]: what rank i sees. At least one.
std::vector<int> writers_of(const std::vector<Site>& sites);

}  // namespace tradewind::outputs
