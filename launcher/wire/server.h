// The controller's end of the connections to agents on other hosts, or under another parent. Listens on a port of its
// own; who does not show in the first line that it knows the job's token is dropped unheard. Not thread-safe.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "launcher/process/descriptor.h"
#include "launcher/wire/connection.h"
#include "launcher/wire/lobby.h"
#include "proto/control.h"

namespace tradewind::launcher {

class Server {
 public:
  // Of agents that know the token; numbers from 1 on.
  struct Events {
    std::function<void(int agent, const proto::Join& join, const Route& route)> joined;
    std::function<void(int agent, const proto::ControlMessage& message)> heard;
    std::function<void(int agent, const std::string& how)> lost;
  };
  using Now = std::function<TimePoint()>;
  // `listener`: a bound socket that listens. EnvironmentFault when it does not.
  Server(
      boost::asio::io_context& context, std::string token, Descriptor listener, Events events,
      Now now = [] { return Clock::now(); });
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  int port() const { return port_; }
  void send(int agent, const proto::ControlMessage& message);
  bool drained() const;  // everything sent has gone out

 private:
  void accept();
  void sweep();
  void said(int id, const std::string& line);
  void prove(int id, const std::string& line);
  void gone(int id, const std::string& how);
  void drop(int id);

  std::string token_;
  Events events_;
  Now now_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer again_, sweep_;
  int port_ = 0, next_ = 1;
  Lobby lobby_;
  struct Entry {
    std::shared_ptr<Connection> connection;
    std::string nonce;    // of ours
    bool proven = false;  // it knows the token
    bool known = false;   // and has joined
  };
  std::map<int, Entry> connections_;
};

}  // namespace tradewind::launcher
