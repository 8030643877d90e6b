// One child of an agent, a worker or a program (speech.h), as its agent has it: its channel, standard streams and end.
// Tells what happens through a sink, in the promised order: every message and line before the exit, and the exit once.
// Not thread-safe; must outlive the handlers of the context, or be destroyed with it.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "launcher/agent/speech.h"
#include "launcher/process/exit.h"
#include "launcher/process/session.h"
#include "launcher/process/spawn.h"
#include "launcher/process/text_lines.h"
#include "proto/control.h"

namespace tradewind::launcher {

// Reads a descriptor to its end, a piece at a time.
class Reader {
 public:
  using Sink = std::function<void(std::string_view)>;
  using End = std::function<void()>;
  Reader(boost::asio::io_context& context, Descriptor descriptor, Sink sink, End end)
      : stream_(context, descriptor.release()), sink_(std::move(sink)), end_(std::move(end)) {}
  void start() {
    stream_.async_read_some(boost::asio::buffer(buffer_),
                            [this](const boost::system::error_code& error, std::size_t count) {
                              if (count > 0) sink_({buffer_.data(), count});
                              if (error) {
                                open_ = false;
                                end_();
                              } else {
                                start();
                              }
                            });
  }
  bool open() const { return open_; }
  void cancel() {
    boost::system::error_code ignored;
    stream_.cancel(ignored);
  }
  boost::asio::posix::stream_descriptor& stream() { return stream_; }

 private:
  boost::asio::posix::stream_descriptor stream_;
  Sink sink_;
  End end_;
  bool open_ = true;
  std::array<char, std::size_t{64} << 10> buffer_{};
};

class WorkerProcess {
 public:
  // Gets Said, Wrote, Garbled and Ended.
  using Sink = std::function<void(proto::ControlMessage)>;
  WorkerProcess(boost::asio::io_context& context, int rank, std::unique_ptr<Speech> speech, Spawned spawned, Sink sink);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  void watch();
  void send_start() { speech_->start(); }
  void send_stop() { speech_->stop(); }
  void tell(const proto::Message& message) { send(proto::encode(message)); }
  void signal(int number) const {
    if (!reaped_) signal_session(pid_, number);
  }
  bool over() const { return reaped_; }
  bool draining() const { return ended_ && !reaped_; }  // it is gone; its last lines, and Ended, are still to come
  int rank() const { return rank_; }
  pid_t pid() const { return pid_; }
  // Stops waiting for it: whatever still runs is beyond our reach.
  void abandon();

 private:
  void send(const std::string& line);
  void write_next();
  void pass_on(proto::Stream stream, const std::string& line);
  void read_messages(std::string_view bytes);
  void ended();
  void stream_ended();

  Sink sink_;
  int rank_;
  pid_t pid_;
  std::unique_ptr<Speech> speech_;
  std::string outbox_, writing_;
  bool ended_ = false, reaped_ = false, garbled_ = false;
  boost::asio::posix::stream_descriptor process_;
  boost::asio::steady_timer drain_;
  TextLines output_lines_, error_lines_;
  Reader channel_, output_, error_;
};

}  // namespace tradewind::launcher
