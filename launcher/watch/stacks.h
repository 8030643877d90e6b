// The host stacks of other processes, by eu-stack or gdb, whichever is there. Of eight processes at once (a tool takes
// up to 70 MB); what is not done within the cap is left out, and no tool stays behind. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tradewind::launcher {

// What a tool wrote when it came to a frame, else nothing: gdb first lists threads. Pure.
std::string stack_in(std::string text);

class Stacks {
 public:
  // `folders`: where the tools are looked for, in this order.
  explicit Stacks(boost::asio::io_context& context,
                  std::vector<std::string> folders = {"/usr/bin", "/usr/local/bin", "/bin"});
  ~Stacks();
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;

  // Calls `done` once with the text, empty when there is no tool or no time.
  // A process that was not stopped before goes on afterwards, whatever became of the tool.
  void collect(pid_t pid, std::chrono::steady_clock::time_point until, std::function<void(std::string)> done);

  // A tool at work, which traces a process: no debugger of the user's.
  bool is_tool(pid_t pid) const;

 private:
  class Tool;
  struct Request {
    pid_t pid;
    std::chrono::steady_clock::time_point until;
    std::function<void(std::string)> done;
  };
  void start_next();
  bool start(Request& request);
  std::vector<std::string> command_for(pid_t pid) const;

  boost::asio::io_context& context_;
  std::vector<std::string> folders_;
  std::deque<Request> waiting_;
  std::vector<std::shared_ptr<Tool>> tools_;  // at work
};

}  // namespace tradewind::launcher
