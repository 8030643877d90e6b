// How an agent and one child of its understand each other. A worker of ours speaks proto/PROTOCOL.md; of a program that
// knows nothing of us the agent says itself what can be seen from outside, in the same messages: whoever decides for
// the run need not know which of both it is. Not thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "launcher/process/exit.h"
#include "proto/control.h"

namespace tradewind::launcher {

class Speech {
 public:
  struct Ends {
    std::function<void(proto::Message)> said;         // what the rank says, to the controller
    std::function<void(const std::string&)> written;  // onto the child's channel
    std::function<void(int)> signalled;               // to every process of the child's session
  };
  virtual ~Speech() = default;
  void connect(Ends ends) { ends_ = std::move(ends); }

  virtual void began(int pid) { static_cast<void>(pid); }
  virtual void start() = 0;  // `start` and `stop` of the protocol
  virtual void stop() = 0;
  // From its channel. ProtocolError for what is no message.
  virtual void heard(std::string_view bytes) = 0;
  virtual void wrote(proto::Stream stream, const std::string& line) {
    static_cast<void>(stream), static_cast<void>(line);
  }
  // It has ended; nothing more comes from it.
  virtual void left(const Exit& exit) { static_cast<void>(exit); }

 protected:
  const Ends& ends() const { return ends_; }

 private:
  Ends ends_;
};

}  // namespace tradewind::launcher
