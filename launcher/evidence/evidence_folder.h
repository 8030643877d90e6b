// Where a program of ranks can be asked how it gets on: a folder `evidence` of the run folder on this host, with the
// sitecustomize for its Python processes, their answers, and pipes and dumps of torch's flight recorder. Not
// thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace tradewind::launcher {

inline constexpr const char* evidence_folder_name = "evidence";
inline constexpr const char* nccl_pipe_prefix = "nccl-pipe-";            // + rank + ".pipe"
inline constexpr const char* nccl_dump_prefix = "comm_lib_trace_rank_";  // + rank, as torch calls it

// Makes it in the run folder and returns its path. EnvironmentFault when it cannot be made.
std::string make_evidence_folder(const std::string& run_folder, bool python);

// Removes what an earlier attempt, or an earlier run in that run folder, has left there: of that rank, or of all.
void forget_evidence(const std::string& run_folder, std::optional<int> rank = std::nullopt);

// Variables by which the program finds it. What the user has set stays as it is.
void point_to_evidence(const std::string& folder, bool python, std::map<std::string, std::string>& variables);

}  // namespace tradewind::launcher
