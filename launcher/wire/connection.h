// A TCP connection that carries lines, one message each, with a cap on what it holds in either direction. Not
// thread-safe. Kept alive by its own pending reads and writes until it is closed.
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "launcher/wire/seal.h"
#include "proto/lines.h"

namespace tradewind::launcher {

// The two ends of an agent's connection: numeric addresses, empty within one process.
struct Route {
  std::string from;  // the agent's
  std::string to;    // this host's, as the agent reached it
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Line = std::function<void(const std::string& line)>;   // may throw ProtocolError, which closes
  using Closed = std::function<void(const std::string& how)>;  // once, unless close() was called
  Connection(boost::asio::ip::tcp::socket socket, std::size_t longest_line);

  void start(Line line, Closed closed);
  // Both ends know the token: from now on lines may be that long, and each bears a seal.
  void seal(Seal outgoing, Seal incoming, std::size_t longest_line);
  // False, and nothing is sent, when the other end reads so slowly that too much waits already. What can be spared
  // finds no room earlier than what cannot.
  bool send(const std::string& line, bool can_be_spared = false);
  void close();
  bool drained() const { return !open_ || (outbox_.empty() && writing_.empty()); }
  Route route() const;

 private:
  void read();
  void take(std::size_t count);
  void write();
  void fail(const std::string& how);

  boost::asio::ip::tcp::socket socket_;
  proto::LineReader lines_;
  std::optional<Seal> outgoing_, incoming_;
  Line line_;
  Closed closed_;
  std::string outbox_, writing_;
  bool open_ = true;
  std::array<char, std::size_t{16} << 10> buffer_{};
};

}  // namespace tradewind::launcher
