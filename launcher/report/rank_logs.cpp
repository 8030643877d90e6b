#include "launcher/report/rank_logs.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace tradewind::launcher {

std::string RankLogs::write(int rank, const std::string& line) {
  if (folder_.empty()) return {};
  auto [entry, is_new] = logs_.try_emplace(rank);
  Log& log = entry->second;
  if (is_new) {
    // On a host that does not share the folder it is made there, but not what it stands in.
    const std::string logs = (std::filesystem::path(folder_) / "logs").string();
    ::mkdir(folder_.c_str(), 0700);
    ::mkdir(logs.c_str(), 0700);
    const std::string path = logs + "/rank-" + std::to_string(rank) + ".log";
    log.file = Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!log.file.valid())
      return "the lines of rank " + std::to_string(rank) + " cannot be kept in " + path + ": " + std::strerror(errno);
    log.sink = std::make_unique<TextSink>(log.file.get());
  }
  if (log.sink) log.sink->write(line + "\n");
  return {};
}

}  // namespace tradewind::launcher
