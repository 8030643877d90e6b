#include "launcher/agent/rank_logs.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/errors.h"
#include "common/files/whole_file.h"

namespace tradewind::launcher {

std::string RankLogs::write(int rank, const std::string& line) {
  if (folder_.empty()) return {};
  auto [entry, is_new] = logs_.try_emplace(rank);
  Log& log = entry->second;
  if (is_new) {
    // On a host that does not share the folder it is made there, but not what it stands in.
    const std::string logs = (std::filesystem::path(folder_) / "logs").string();
    const std::string name = "rank-" + std::to_string(rank) + ".log";
    const std::string lost = "the lines of rank " + std::to_string(rank) + " cannot be kept in " + logs + "/" + name;
    try {
      Folder::make_own(folder_, true);
      log.file = open_log(Folder::make_own(logs), name);
    } catch (const EnvironmentFault& fault) {
      return lost + ": " + fault.message();
    }
    if (!log.file.valid()) return lost + ": " + std::strerror(errno);
    log.sink = std::make_unique<TextSink>(log.file.get());
  }
  if (log.sink) log.sink->write(line + "\n");
  return {};
}

}  // namespace tradewind::launcher
