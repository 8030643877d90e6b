// The worker's end of the socket pair to its launcher (proto/PROTOCOL.md). Owns the descriptor. send(), ask() and
// stop_requested() may be called from any thread: whoever waits for an answer reads for the others too. Errors:
// EnvironmentFault when the launcher is gone or breaks the protocol.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "common/clock.h"
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
  // Asks the run's store and waits for the whole answer; nothing when it does not come in time. The request's number is
  // filled in.
  std::optional<proto::StoreAnswer> ask(proto::StoreRequest request, std::chrono::milliseconds time);

 private:
  struct Awaited {
    proto::StoreAnswer answer;
    bool whole = false;
  };
  using Lock = std::unique_lock<std::mutex>;
  bool read_once(Lock& lock, Clock::time_point until);
  void take(proto::Message message);
  std::optional<std::string> receive(Clock::time_point until) const;

  const int descriptor_;
  std::mutex sending_;
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  bool reading_ = false;  // a thread does, and has let go of the mutex
  std::string lost_;      // why nothing more will come
  proto::LineReader lines_;
  bool stop_requested_ = false;
  std::optional<proto::Start> start_;
  std::map<std::int64_t, Awaited> awaited_;
  std::int64_t asked_ = 0;
};

// Asks the kernel to end this process when its parent goes. Call from the main thread, before saying hello.
void end_with_parent();

}  // namespace tradewind::channel
