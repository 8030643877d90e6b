// An agent's end of the connection to a controller in another process: finds it, has it show that it knows the job's
// token, shows the same, joins, then carries messages. Not thread-safe.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "launcher/wire/connection.h"
#include "launcher/wire/control_address.h"
#include "launcher/wire/dial.h"
#include "proto/control.h"

namespace tradewind::launcher {

class Client {
 public:
  // Where the controller is, as far as is known now; and why nothing is known, for the error.
  struct Look {
    std::function<std::optional<ControlAddress>()> find;
    std::function<std::string()> lack = [] { return std::string(); };
  };
  struct Events {
    std::function<void()> joined;
    std::function<void(const proto::ControlMessage& message)> heard;
    std::function<void(const std::string& how)> lost;       // after joined
    std::function<void(const proto::Refused& why)> failed;  // instead of joined
  };
  // Tries until `wait` is over.
  Client(boost::asio::io_context& context, Look look, proto::Join join, std::chrono::steady_clock::duration wait,
         Events events);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // What is sent before joined() or after lost() is dropped. A line of output is dropped too when the controller reads
  // too slowly for it: how many were, it is told as soon as it reads again.
  void send(const proto::ControlMessage& message);
  bool drained() const { return !connection_ || connection_->drained(); }
  std::string controller() const;  // address:port, for messages

 private:
  void look();
  void try_next();
  void dial(Dial::Endpoints endpoints);
  void connected(boost::asio::ip::tcp::socket socket);
  void answered(const proto::ControlMessage& message);
  void challenged(const proto::Challenge& challenge);
  void proven(const proto::Proven& proven);
  void next_after_failure(const std::string& how);
  void another_version();
  void give_up();

  boost::asio::io_context& context_;
  Look look_;
  proto::Join join_;
  std::chrono::steady_clock::time_point deadline_;
  std::chrono::steady_clock::duration wait_;
  Events events_;
  boost::asio::steady_timer timer_;
  std::optional<ControlAddress> control_;
  std::size_t tried_ = 0;  // addresses of control_
  std::string last_failure_;
  boost::asio::ip::tcp::resolver resolver_;
  std::unique_ptr<Dial> dial_;  // while it connects
  std::shared_ptr<Connection> connection_;
  Nonces nonces_;         // of the connection
  bool trusted_ = false;  // the other end knows the token
  bool joined_ = false;
  long dropped_ = 0;  // lines of output
};

}  // namespace tradewind::launcher
