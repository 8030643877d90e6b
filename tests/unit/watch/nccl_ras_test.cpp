// NCCL's RAS service, played by this test.
#include "launcher/watch/nccl_ras.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <cstdio>
#include <istream>
#include <thread>

#include "common/file_text.h"
#include "launcher/process/descriptor.h"

using namespace tradewind::launcher;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr const char* status =
    "NCCL version 2.28.9 compiled with CUDA 13.0\n\nJob summary\n===========\n\n  Nodes  Processes\n      2          "
    "4\n\n"
    "Communicators... (0.00s)\n=============\n\nGroup     Comms   Status  Errors\n    0         1  RUNNING  "
    "MISMATCH\n\n"
    "Errors\n======\n\nINCOMPLETE\n  Missing communicator data from 1 job process\n\nWarnings\n========\n\n"
    "#0-0 (27a079b8) MISMATCH\n  Communicator ranks have different collective operation counts\n";

// Answers each line with what stands at its place; closes after the last one. Tells what it has heard.
struct Service {
  explicit Service(std::vector<std::string> with) : answers(std::move(with)) {
    thread = std::thread([this] {
      tcp::socket socket = acceptor.accept();
      asio::streambuf buffer;
      for (const std::string& answer : answers) {
        boost::system::error_code error;
        asio::read_until(socket, buffer, '\n', error);
        if (error) return;
        std::string line;
        std::istream stream(&buffer);
        std::getline(stream, line);
        heard.push_back(line);
        asio::write(socket, asio::buffer(answer), error);
      }
    });
  }
  ~Service() { thread.join(); }
  std::string ask(std::chrono::milliseconds time = 20s) {
    std::string text = "never called";
    ask_ras(context, acceptor.local_endpoint(), std::chrono::steady_clock::now() + time,
            [&](std::string said) { text = std::move(said); });
    context.run();
    return text;
  }
  asio::io_context context;
  tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
  std::vector<std::string> answers, heard;
  std::thread thread;
};

}  // namespace

TEST_CASE("the service is asked as ncclras asks it, and its text is taken whole") {
  std::string text;
  std::vector<std::string> heard;
  {
    Service service({"SERVER PROTOCOL 3\n", "OK\n", status});
    text = service.ask();
    heard = service.heard;
  }
  CHECK(text == status);
  REQUIRE(heard.size() == 3);
  CHECK(heard[0] == "CLIENT PROTOCOL 2");
  CHECK(heard[1].starts_with("TIMEOUT "));
  CHECK(heard[2] == "STATUS");
}

TEST_CASE("what is not RAS, or says nothing in time, gives nothing") {
  CHECK(Service({"HTTP/1.1 400 Bad Request\n"}).ask().empty());
  CHECK(Service({"SERVER PROTOCOL 2\n", "ERROR\n"}).ask().empty());
  CHECK(Service({"SERVER PROTOCOL 2"}).ask().empty());  // half a line, then the end
  // Nobody accepts: connected, and silent.
  asio::io_context context;
  tcp::acceptor silent(context, {asio::ip::address_v4::loopback(), 0});
  std::string text = "never called";
  ask_ras(context, silent.local_endpoint(), std::chrono::steady_clock::now() + 200ms,
          [&](std::string said) { text = std::move(said); });
  context.run();
  CHECK(text.empty());
}

TEST_CASE("the lines under Errors and Warnings are told") {
  CHECK(ras_findings(status) ==
        std::vector<std::string>{"INCOMPLETE", "Missing communicator data from 1 job process",
                                 "#0-0 (27a079b8) MISMATCH",
                                 "Communicator ranks have different collective operation counts"});
  CHECK(ras_findings("Job summary\n===========\n\nall well\n").empty());
  CHECK(ras_findings("").empty());
}

TEST_CASE("only a socket that the process itself holds is its service") {
  asio::io_context context;
  const tcp::acceptor four(context, {asio::ip::address_v4::loopback(), 0});
  const tcp::acceptor six(context, {asio::ip::address_v6::any(), 0});
  const auto table = [](const tcp::acceptor& acceptor) {
    const auto port = acceptor.local_endpoint().port();
    std::array<char, 64> row{};
    const bool v4 = acceptor.local_endpoint().address().is_v4();
    std::snprintf(row.data(), row.size(), "%s:%04X", v4 ? "0100007F" : "00000000000000000000000000000000", port);
    return "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: " +
           std::string(row.data()) +
           " 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0   0 4711 1\n   1: " + std::string(row.data()) +
           " 00000000:0000 01 00000000:00000000 00:00000000 00000000  0   0 4712 1\n";
  };
  for (const tcp::acceptor* acceptor : {&four, &six}) {
    const auto found = listeners_of(table(*acceptor));
    REQUIRE(found.size() == 1);
    CHECK(found[0].inode == "4711");
    CHECK(found[0].endpoint.port() == acceptor->local_endpoint().port());
    CHECK(found[0].endpoint.address().is_loopback());
  }
  CHECK(listeners_of("   0: ZZ:1 0:0 0A 0 0 0 0 0 1\nshort\n   0: 0100007F:99999 0:0 0A 0:0 0:0 0 0 0 1\n").empty());

  const std::string port = std::to_string(four.local_endpoint().port());
  const auto own = std::string("A=b\0", 4) + "NCCL_RAS_ADDR=localhost:" + port;
  CHECK(ras_port_of(own) == four.local_endpoint().port());
  CHECK(ras_port_of("") == 28028);
  CHECK(ras_port_of("NCCL_RAS_ENABLE=0") == 0);
  CHECK(ras_port_of("NCCL_RAS_ADDR=localhost:no") == 0);
}

TEST_CASE("the service of a process is one that it holds itself") {
  const Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  std::string variable = "NCCL_RAS_ADDR=localhost:" + std::to_string(ntohs(address.sin_port));
  std::string program = "sleep", seconds = "600";
  for (const bool holding : {true, false}) {
    CAPTURE(holding);
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    constexpr int descriptor = 9;
    if (holding) ::posix_spawn_file_actions_adddup2(&files, listener.get(), descriptor);
    std::array<char*, 3> arguments = {program.data(), seconds.data(), nullptr};
    std::array<char*, 2> environment = {variable.data(), nullptr};
    pid_t child = 0;
    REQUIRE(::posix_spawn(&child, "/bin/sleep", &files, nullptr, arguments.data(), environment.data()) == 0);
    ::posix_spawn_file_actions_destroy(&files);
    // Its program is there a moment before its variables can be read.
    while (tradewind::file_text("/proc/" + std::to_string(child) + "/environ").empty())
      std::this_thread::sleep_for(1ms);
    const auto endpoint = ras_endpoint(child);
    CHECK(endpoint.has_value() == holding);
    if (endpoint) CHECK(endpoint->port() == ntohs(address.sin_port));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
}
