// Asks the processes of a program's rank what they know: Python frames by faulthandler, and what the flight recorder of
// torch.distributed holds, through the sitecustomize that `exec` has given them (evidence/sitecustomize.py) and through
// NCCL's pipe. A signal goes only to a process that has shown to wait for it: it would end any other. Not thread-safe;
// lives on the agent's context.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "launcher/flight/record.h"

namespace tradewind::launcher {

struct Answers {
  std::string frames;
  std::optional<FlightRecord> flight;
};

class ProgramWitness : public std::enable_shared_from_this<ProgramWitness> {
 public:
  using Done = std::function<void(Answers)>;
  // `folder`: the evidence folder (evidence/evidence_folder.h), which may be read only.
  static void ask(boost::asio::io_context& context, const std::string& folder, int rank, pid_t pid,
                  std::chrono::steady_clock::time_point until, Done done);

 private:
  ProgramWitness(boost::asio::io_context& context, const std::string& folder, int rank, pid_t pid,
                 std::chrono::steady_clock::time_point until, Done done);
  void begin();
  void look();
  bool frames_there();
  bool flight_there(const std::string& path, bool asked, std::int64_t before);

  boost::asio::steady_timer timer_;
  std::string frames_path_, flight_path_, pipe_path_, dump_path_;
  int rank_;
  pid_t pid_;
  std::chrono::steady_clock::time_point until_;
  Done done_;
  Answers answers_;
  bool frames_asked_ = false, flight_asked_ = false, dump_asked_ = false;
  std::int64_t frames_begin_ = 0, frames_size_ = -1, flight_before_ = 0, dump_before_ = 0, dump_size_ = -1;
};

// What the processes of a rank that has ended have left: frames when one of them crashed, and what its recorder held
// when it left by itself.
Answers last_words(const std::string& folder, int rank);

// Whether the process catches, or blocks, that signal: from the text of its /proc/PID/status. Pure.
bool catches(const std::string& status, int signal);
bool blocks(const std::string& status, int signal);

}  // namespace tradewind::launcher
