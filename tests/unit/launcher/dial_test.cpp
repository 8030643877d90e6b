// Connecting to one of several endpoints.
#include "launcher/wire/dial.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <optional>

#include "launcher/process/descriptor.h"

using namespace tradewind::launcher;
using boost::asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

// An endpoint that swallows what is sent to it: its queue is full, and nobody takes from it.
class Hole {
 public:
  explicit Hole(boost::asio::io_context& context)
      : acceptor_(context, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0), false) {
    REQUIRE(::listen(acceptor_.native_handle(), 0) == 0);
    for (int i = 0; i < 4; ++i) {
      waiting_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      const tcp::endpoint own = endpoint();
      ::connect(waiting_.back().get(), own.data(), static_cast<socklen_t>(own.size()));
    }
  }
  tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

 private:
  tcp::acceptor acceptor_;
  std::vector<Descriptor> waiting_;
};

struct Result {
  std::optional<tcp::endpoint> reached;
  std::string failure;
};

Result dial(boost::asio::io_context& context, const Dial::Endpoints& endpoints) {
  Result result;
  Dial dial(context, endpoints, 300ms,
            {.connected = [&](const tcp::socket& socket) { result.reached = socket.remote_endpoint(); },
             .failed = [&](const std::string& how) { result.failure = how; }});
  context.run_for(10s);
  return result;
}

tcp::endpoint closed_port(boost::asio::io_context& context) {
  const tcp::acceptor once(context, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  return once.local_endpoint();
}

}  // namespace

TEST_CASE("an address that swallows what is sent to it does not use up the time of the next") {
  boost::asio::io_context context;
  const Hole first(context), second(context);
  const tcp::acceptor alive(context, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  const Result result =
      dial(context, {first.endpoint(), second.endpoint(), closed_port(context), alive.local_endpoint()});
  CHECK(result.failure.empty());
  REQUIRE(result.reached);
  CHECK(*result.reached == alive.local_endpoint());
}

TEST_CASE("what became of each address is told") {
  boost::asio::io_context context;
  const Hole hole(context);
  const Result result = dial(context, {hole.endpoint(), closed_port(context)});
  CHECK_FALSE(result.reached);
  CHECK(result.failure == "127.0.0.1: no answer; 127.0.0.1: Connection refused");
  context.restart();
  CHECK(dial(context, {}).failure == "it has no address");
}

TEST_CASE("whoever stops dialling hears nothing more") {
  boost::asio::io_context context;
  const Hole hole(context);
  int heard = 0;
  {
    const Dial gone(
        context, {hole.endpoint()}, 300ms,
        {.connected = [&](const tcp::socket&) { ++heard; }, .failed = [&](const std::string&) { ++heard; }});
    const Dial empty(
        context, {}, 300ms,
        {.connected = [&](const tcp::socket&) { ++heard; }, .failed = [&](const std::string&) { ++heard; }});
  }
  context.run_for(1s);
  CHECK(heard == 0);
}
