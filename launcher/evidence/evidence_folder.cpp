#include "launcher/evidence/evidence_folder.h"

#include "common/files/folder.h"
#include "common/files/whole_file.h"
#include "launcher/evidence/sitecustomize.h"

namespace tradewind::launcher {

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
