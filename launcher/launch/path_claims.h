// Which files a run reads and writes, by role, held against each other before anything starts. Kinds of inputs, filters
// and outputs say what they touch in their configuration (common/config/nodes/uses.h), and nowhere else.
// Looks at names, links and inodes; reads no file's content but a template index. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "common/config/load.h"
#include "common/config/run_config.h"
#include "common/files/lock_file.h"

namespace tradewind::launcher {

struct PathClaim {
  enum class Use { reads, writes };
  enum class Names {
    one,      // the path itself
    keys,     // {key} stands for any text
    sources,  // a file, the GRIB files below a folder, or what a pattern matches
    folder    // made by the run, with files of its own claimed beside it
  };
  Use use = Use::reads;
  Names names = Names::one;
  std::string path;
  std::string role;   // "the input"
  std::string where;  // where the user wrote it: "config.yaml:4:9" or "--report"
  // Of an output, the same for all its names: they are not held against each other. Empty: of none.
  std::string output = {};
};
using PathClaims = std::vector<PathClaim>;
inline constexpr const char* output_role = "the output";

// The output's own name, and those beside it that it has while it is written. `keys`: {key} is not meant literally.
// `dataset`: whose output it is; two of them in one file are two outputs.
void add_output(PathClaims& claims, const std::string& path, bool keys, const std::string& where,
                const std::string& dataset = {});
void add_run_folder(PathClaims& claims, const std::string& folder, const std::string& where);
// `datasets`: of the checkpoint, which {dataset} in paths stands for.
PathClaims claims_of(const config::RunConfig& config, const config::ConfigDocument& document,
                     const std::vector<std::string>& datasets);

// UserError naming both when something that is written may be something else that is read or written. One file for what
// is read by two is fine.
void check_claims(const PathClaims& claims);
// Keeps other runs from the outputs whose names are known, for as long as what is returned lives. UserError telling
// which run holds one. `words`: of this run (common/files/lock_file.h). Where a lock cannot be made that is left to the
// rank that writes.
std::vector<LockFile> lock_outputs(const PathClaims& claims, const std::string& words);

}  // namespace tradewind::launcher
