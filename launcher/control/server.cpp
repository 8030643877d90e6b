#include "launcher/control/server.h"

#include <boost/asio/ip/v6_only.hpp>

#include "common/errors.h"
#include "launcher/control/token.h"

namespace tradewind::launcher {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// On every address of this host, of both families where both exist.
tcp::acceptor listening(asio::io_context& context, int port) {
  const auto number = static_cast<asio::ip::port_type>(port);
  tcp::acceptor acceptor(context);
  error_code error;
  const auto open = [&](const tcp& family) {
    error_code ignored;
    acceptor.close(ignored);
    error = {};
    acceptor.open(family, error);
    if (!error && family == tcp::v6()) acceptor.set_option(asio::ip::v6_only(false), error);
    if (!error && port != 0) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(tcp::endpoint(family, number), error);
    if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  };
  open(tcp::v6());
  if (error) open(tcp::v4());
  if (error)
    throw EnvironmentFault(
        "cannot listen for the launchers of the other ranks: " + error.message(),
        port == 0 ? "" : "port " + std::to_string(port),
        port == 0 ? "check that the network interfaces are up" : "give another port in TRADEWIND_CONTROL, or unset it");
  return acceptor;
}

}  // namespace

Server::Server(asio::io_context& context, std::string token, int port, Events events)
    : token_(std::move(token)),
      events_(std::move(events)),
      acceptor_(listening(context, port)),
      again_(context),
      sweep_(context),
      port_(acceptor_.local_endpoint().port()) {
  accept();
  sweep();
}

Server::~Server() {
  for (auto& [id, entry] : connections_) entry.connection->close();
}

void Server::accept() {
  acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (error) {  // most likely out of descriptors: there may be one later
      again_.expires_after(std::chrono::milliseconds(100));
      again_.async_wait([this](const error_code& cancelled) {
        if (!cancelled) accept();
      });
      return;
    }
    const int id = next_++;
    auto connection = std::make_shared<Connection>(std::move(socket), proto::max_join_bytes);
    connections_[id] = {connection};
    if (const auto evicted = lobby_.arrived(id, Clock::now())) drop(*evicted);
    connection->start(
        [this, id](const std::string& line) {
          if (connections_.at(id).known)
            events_.heard(id, proto::decode_control(line));
          else
            first_line(id, line);
        },
        [this, id](const std::string& how) { gone(id, how); });
    accept();
  });
}

void Server::sweep() {
  sweep_.expires_after(std::chrono::seconds(1));
  sweep_.async_wait([this](const error_code& cancelled) {
    if (cancelled) return;
    for (const int id : lobby_.passed(Clock::now())) drop(id);
    sweep();
  });
}

void Server::first_line(int id, const std::string& line) {
  lobby_.left(id);
  proto::Join join;
  try {
    const auto message = proto::decode_control(line);
    const auto* wish = std::get_if<proto::Join>(&message);
    if (wish == nullptr || !same_token(wish->token, token_)) return drop(id);
    join = *wish;
  } catch (const proto::ProtocolError&) {
    return drop(id);
  }
  Entry& entry = connections_.at(id);
  entry.known = true;
  entry.connection->widen(proto::max_line_bytes);
  events_.joined(id, join, entry.connection->route());
}

void Server::gone(int id, const std::string& how) {
  const bool known = connections_.at(id).known;
  lobby_.left(id);
  connections_.erase(id);
  if (known) events_.lost(id, how);
}

void Server::drop(int id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  found->second.connection->close();
  connections_.erase(found);
}

void Server::send(int agent, const proto::ControlMessage& message) {
  const auto found = connections_.find(agent);
  if (found == connections_.end()) return;
  if (found->second.connection->send(proto::encode_control(message))) return;
  drop(agent);
  events_.lost(agent, "it does not read what it is told");
}

bool Server::drained() const {
  for (const auto& [id, entry] : connections_)
    if (entry.known && !entry.connection->drained()) return false;
  return true;
}

}  // namespace tradewind::launcher
