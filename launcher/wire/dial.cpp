#include "launcher/wire/dial.h"

#include <utility>

namespace tradewind::launcher {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

}  // namespace

Dial::Dial(asio::io_context& context, Endpoints endpoints, std::chrono::steady_clock::duration patience, Events events)
    : endpoints_(std::move(endpoints)),
      patience_(patience),
      events_(std::move(events)),
      socket_(context),
      timer_(context) {
  next();
}

void Dial::next() {
  const std::weak_ptr<const bool> life = life_;
  if (tried_ >= endpoints_.size()) {
    // Later, also for the constructor.
    asio::post(timer_.get_executor(), [this, life] {
      if (life.expired()) return;
      const auto failed = std::move(events_.failed);  // which may end this
      failed(std::string(failures_.empty() ? "it has no address" : failures_));
    });
    return;
  }
  const tcp::endpoint& endpoint = endpoints_[tried_++];
  socket_ = tcp::socket(timer_.get_executor());
  timer_.expires_after(patience_);
  timer_.async_wait([this, life](const error_code& cancelled) {
    if (cancelled || life.expired()) return;
    error_code ignored;
    socket_.close(ignored);
  });
  socket_.async_connect(endpoint, [this, life, address = endpoint.address().to_string()](const error_code& error) {
    if (life.expired()) return;
    timer_.cancel();
    if (!error) {
      const auto connected = std::move(events_.connected);
      return connected(std::move(socket_));
    }
    failures_ += (failures_.empty() ? "" : "; ") + address + ": " +
                 (error == asio::error::operation_aborted ? "no answer" : error.message());
    next();
  });
}

}  // namespace tradewind::launcher
