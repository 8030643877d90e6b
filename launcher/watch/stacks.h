// The host stacks of other processes, by eu-stack or gdb, whichever is there. One tool at a time, each process once;
// what is not done within the cap is left out, and no tool stays behind. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace tradewind::launcher {

// What a tool wrote when it came to a frame, else nothing: gdb first lists threads. Pure.
std::string stack_in(std::string text);

class Stacks {
 public:
  explicit Stacks(boost::asio::io_context& context);
  ~Stacks();
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;

  // Calls `done` once with the text, empty when there is no tool or no time.
  // A process that was not stopped before goes on afterwards, whatever became of the tool.
  void collect(pid_t pid, std::chrono::steady_clock::time_point until, std::function<void(std::string)> done);

  // The tool at work, which traces the process: no debugger of the user's. -1: none.
  pid_t tool() const { return tool_; }

 private:
  struct Request {
    pid_t pid;
    std::chrono::steady_clock::time_point until;
    std::function<void(std::string)> done;
  };
  void start_next();
  bool start(const Request& request);
  void read();
  void finish();
  void end_tool();

  boost::asio::io_context& context_;
  boost::asio::steady_timer cap_;
  std::deque<Request> requests_;
  pid_t tool_ = -1, seen_ = -1;  // the tool, and the process that it looks at
  bool was_stopped_ = false;
  std::unique_ptr<boost::asio::posix::stream_descriptor> output_;
  std::array<char, 4096> buffer_{};
  std::string text_;
};

}  // namespace tradewind::launcher
