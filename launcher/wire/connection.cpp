#include "launcher/wire/connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

namespace tradewind::launcher {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t most_waiting = std::size_t{4} << 20;

std::string numeric(const asio::ip::tcp::endpoint& endpoint) {
  auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  return address.to_string();
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, std::size_t longest_line)
    : socket_(std::move(socket)), lines_(longest_line) {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

void Connection::seal(Seal outgoing, Seal incoming, std::size_t longest_line) {
  outgoing_ = std::move(outgoing);
  incoming_ = std::move(incoming);
  lines_.widen(longest_line + Seal::bytes);
}

void Connection::start(Line line, Closed closed) {
  line_ = std::move(line);
  closed_ = std::move(closed);
  read();
}

void Connection::read() {
  socket_.async_read_some(asio::buffer(buffer_),
                          [self = shared_from_this()](const error_code& error, std::size_t count) {
                            if (!self->open_) return;
                            if (count > 0) self->take(count);
                            if (!self->open_) return;
                            if (!error) return self->read();
                            self->fail(error == asio::error::eof ? "the connection was closed" : error.message());
                          });
}

void Connection::take(std::size_t count) {
  try {
    lines_.feed({buffer_.data(), count});
    while (open_) {
      const auto line = lines_.next();
      if (!line) return;
      line_(incoming_ ? std::string(incoming_->open(*line)) : *line);
    }
  } catch (const proto::ProtocolError& error) {
    fail(std::string("it broke the protocol: ") + error.what());
  }
}

bool Connection::send(const std::string& line, bool can_be_spared) {
  if (!open_) return true;  // its end has been told, or is about to be
  if (outbox_.size() + writing_.size() + line.size() > most_waiting / (can_be_spared ? 2 : 1)) return false;
  if (outgoing_) {
    outbox_ += outgoing_->seal({line.data(), line.size() - 1});
    outbox_ += '\n';
  } else {
    outbox_ += line;
  }
  if (writing_.empty()) write();
  return true;
}

void Connection::write() {
  writing_ = std::exchange(outbox_, {});
  if (writing_.empty()) return;
  asio::async_write(socket_, asio::buffer(writing_), [self = shared_from_this()](const error_code& error, std::size_t) {
    self->writing_.clear();
    if (!error && self->open_) self->write();  // a broken one shows in its reading
  });
}

void Connection::fail(const std::string& how) {
  if (!open_) return;
  const Closed closed = std::move(closed_);
  close();
  if (closed) closed(how);
}

void Connection::close() {
  open_ = false;
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
}

Route Connection::route() const {
  error_code error;
  const auto from = socket_.remote_endpoint(error);
  const auto to = socket_.local_endpoint(error);
  return {.from = numeric(from), .to = numeric(to)};
}

}  // namespace tradewind::launcher
