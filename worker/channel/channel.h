// The worker's end of the socket pair to its launcher (proto/PROTOCOL.md). Owns the descriptor.
// send() may be called from any thread, the other members from one. Errors: EnvironmentFault when the launcher is gone
// or breaks the protocol.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "proto/messages.h"

namespace tradewind::channel {

class Channel {
 public:
  // UserError when the descriptor is no socket: a worker runs only under its launcher.
  explicit Channel(int descriptor);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  void send(const proto::Message& message);
  // Waits for `start`.
  proto::Start receive_start();
  // Whether `stop` has come; does not wait.
  bool stop_requested();

 private:
  bool read_some(bool wait);
  int descriptor_;
  std::mutex sending_;
  proto::LineReader lines_;
  bool stop_requested_ = false;
};

// Asks the kernel to end this process when its parent goes. Call from the main thread, before saying hello.
void end_with_parent();

}  // namespace tradewind::channel
