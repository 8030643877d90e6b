#include "launcher/wire/server.h"

#include <sys/socket.h>

#include <cerrno>

#include "common/errors.h"
#include "launcher/wire/seal.h"
#include "launcher/wire/token.h"

namespace tradewind::launcher {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

tcp::acceptor taken_over(asio::io_context& context, Descriptor listener) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  tcp::acceptor acceptor(context);
  error_code error(ENOTSOCK, boost::system::system_category());
  if (listener.valid() && ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0)
    acceptor.assign(address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), listener.release(), error);
  if (error) throw EnvironmentFault("cannot listen for the launchers of the other ranks: " + error.message());
  return acceptor;
}

}  // namespace

Server::Server(asio::io_context& context, std::string token, Descriptor listener, Events events, Now now)
    : token_(std::move(token)),
      events_(std::move(events)),
      now_(std::move(now)),
      acceptor_(taken_over(context, std::move(listener))),
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
    auto connection = std::make_shared<Connection>(std::move(socket), proto::max_greeting_bytes);
    const Entry& entry = connections_[id] = {.connection = connection, .nonce = make_nonce()};
    connection->send(proto::encode_control(proto::Challenge{.nonce = entry.nonce}));
    if (const auto evicted = lobby_.arrived(id, now_())) drop(*evicted);
    connection->start([this, id](const std::string& line) { said(id, line); },
                      [this, id](const std::string& how) { gone(id, how); });
    accept();
  });
}

void Server::sweep() {
  sweep_.expires_after(std::chrono::seconds(1));
  sweep_.async_wait([this](const error_code& cancelled) {
    if (cancelled) return;
    for (const int id : lobby_.passed(now_())) drop(id);
    sweep();
  });
}

void Server::said(int id, const std::string& line) {
  Entry& entry = connections_.at(id);
  if (!entry.proven) return prove(id, line);
  const auto message = proto::decode_control(line);
  if (entry.known) return events_.heard(id, message);
  const auto* join = std::get_if<proto::Join>(&message);
  if (join == nullptr) throw proto::ProtocolError("it does not join");
  entry.known = true;
  events_.joined(id, *join, entry.connection->route());
}

void Server::prove(int id, const std::string& line) {
  lobby_.left(id);
  Entry& entry = connections_.at(id);
  Nonces nonces{.controller = entry.nonce, .agent = {}};
  try {
    const auto message = proto::decode_control(line);
    const auto* shown = std::get_if<proto::Prove>(&message);
    if (shown == nullptr || !is_nonce(shown->nonce)) return drop(id);
    nonces.agent = shown->nonce;
    if (token_.empty() || !same_token(shown->proof, proof_of(End::agent, token_, nonces))) return drop(id);
  } catch (const proto::ProtocolError&) {
    return drop(id);
  }
  entry.proven = true;
  entry.connection->send(proto::encode_control(proto::Proven{proof_of(End::controller, token_, nonces)}));
  entry.connection->seal(Seal(End::controller, token_, nonces), Seal(End::agent, token_, nonces),
                         proto::max_line_bytes);
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
