#include "launcher/evidence/evidence_folder.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "common/files/folder.h"
#include "common/files/whole_file.h"
#include "launcher/evidence/sitecustomize.h"

namespace tradewind::launcher {
namespace {

// `3` of rank-3.frames, rank-3.flight.4711, nccl-pipe-3.pipe and comm_lib_trace_rank_3; empty for other names.
std::string_view rank_in(std::string_view name) {
  for (const std::string_view prefix : {"rank-", nccl_pipe_prefix, nccl_dump_prefix}) {
    if (!name.starts_with(prefix)) continue;
    name.remove_prefix(prefix.size());
    return name.substr(0, std::min(name.size(), name.find_first_not_of("0123456789")));
  }
  return {};
}

}  // namespace

void forget_evidence(const std::string& run_folder, std::optional<int> rank) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> old;
  for (fs::directory_iterator entries(run_folder + "/" + evidence_folder_name, error), end; !error && entries != end;
       entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    const std::string_view number = rank_in(name);
    if (!number.empty() && (!rank || number == std::to_string(*rank))) old.push_back(entries->path());
  }
  for (const fs::path& path : old) fs::remove(path, error);
}

std::string make_evidence_folder(const std::string& run_folder, bool python) {
  Folder::make_own(run_folder, true);  // on a host that does not share it
  std::string folder = run_folder + "/" + evidence_folder_name;
  Folder::make_own(folder);
  if (!python) return folder;
  Folder::make_own(folder + "/python");
  write_whole(folder + "/python/sitecustomize.py", sitecustomize_text,
              {.what = "sitecustomize.py", .own_folder = true});
  return folder;
}

void point_to_evidence(const std::string& folder, bool python, std::map<std::string, std::string>& variables) {
  // Of several names for the same, old and new, torch warns: the newest is what every torch since 2.8 knows.
  variables.try_emplace("TORCH_FR_BUFFER_SIZE", "2000");
  variables.try_emplace("TORCH_NCCL_DEBUG_INFO_PIPE_FILE", folder + "/" + nccl_pipe_prefix);
  if (!variables.contains("TORCH_NCCL_DEBUG_INFO_TEMP_FILE"))
    variables.try_emplace("TORCH_FR_DUMP_TEMP_FILE", folder + "/" + nccl_dump_prefix);
  if (!python) return;
  variables["TRADEWIND_EVIDENCE"] = folder;
  std::string& path = variables["PYTHONPATH"];
  path = folder + "/python" + (path.empty() ? "" : ":" + path);
}

}  // namespace tradewind::launcher
