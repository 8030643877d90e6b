// Keeps every line of this host's ranks in files of the run folder, logs/rank-3.log. Writing is a thread's: a file
// system that stalls delays no one. Call from one thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "launcher/process/descriptor.h"
#include "launcher/process/text_sink.h"

namespace tradewind::launcher {

class RankLogs {
 public:
  // Empty folder: keeps nothing.
  explicit RankLogs(std::string folder) : folder_(std::move(folder)) {}

  // Why that rank's lines cannot be kept, once per rank; empty: they can.
  std::string write(int rank, const std::string& line);

 private:
  struct Log {
    Descriptor file;
    std::unique_ptr<TextSink> sink;
  };
  std::string folder_;
  std::map<int, Log> logs_;
};

}  // namespace tradewind::launcher
