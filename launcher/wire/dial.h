// Connects to the first of some endpoints that answers. Each has its own time: one that swallows what is sent to it
// does not use up that of the next. Not thread-safe; nothing is called after its end.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tradewind::launcher {

class Dial {
 public:
  using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;
  struct Events {
    std::function<void(boost::asio::ip::tcp::socket socket)> connected;
    std::function<void(const std::string& how)> failed;  // none of them: what became of each
  };
  // `patience`: for one endpoint. One event is called, from the context, and may destroy this.
  Dial(boost::asio::io_context& context, Endpoints endpoints, std::chrono::steady_clock::duration patience,
       Events events);
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

 private:
  void next();

  Endpoints endpoints_;
  std::chrono::steady_clock::duration patience_;
  Events events_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  std::size_t tried_ = 0;
  std::string failures_;
  std::shared_ptr<const bool> life_ = std::make_shared<const bool>(true);  // handlers outlive this
};

}  // namespace tradewind::launcher
