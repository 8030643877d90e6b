// Who connects to the control port without the job's token: the run goes on, and nothing of theirs is obeyed.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/unit/launcher/stranger.h"
#include "tests/unit/launcher/waiting_run.h"

using namespace tradewind;
using namespace tradewind::launcher;
using namespace std::chrono_literals;

namespace {

const std::string token(64, 'a');

proto::Join join_of(int rank, const std::string& secret) {
  return {.token = secret, .host = "elsewhere", .pid = 1, .world_size = 1, .ranks = {rank}};
}

}  // namespace

TEST_CASE("strangers at the control port") {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  WaitingRun run(1, seats_of_host(1), token);
  const int port = run.port();
  const std::int64_t before = resident_bytes();
  std::atomic<int> wrong{0}, dropped_idle{0};
  std::int64_t most = 0;
  std::thread strangers([&] {
    bool closed = false;
    const auto turned_away = [&](const std::string& text) {
      const Descriptor socket = connect_to(port);
      say(socket, text);
      if (!answer(socket, 4s, closed).empty() || !closed) ++wrong;
    };
    turned_away(proto::encode_control(join_of(0, std::string(64, 'b'))));
    turned_away(proto::encode_control(join_of(0, "")));
    turned_away("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    turned_away("{\"type\":\"signalled\",\"number\":9}\n");
    turned_away("{\"type\":\"act\",\"do\":\"kill\",\"rank\":0}\n{\"type\":\"leave\",\"exit_code\":0}\n");
    turned_away(std::string(100, '[') + "\n");
    turned_away(std::string(5000, '\0') + "\n");
    {  // a gigabyte without a newline: the door closes after the first few thousand bytes
      const Descriptor socket = connect_to(port);
      const std::string piece(1 << 20, 'x');
      std::int64_t sent = 0;
      while (sent < (std::int64_t{1} << 30)) {
        const ssize_t count = ::send(socket.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
        if (count <= 0) break;
        sent += count;
      }
      if (sent >= (std::int64_t{1} << 30)) ++wrong;
    }
    {  // who knows the token but has no place in the run
      const Descriptor socket = connect_to(port);
      say(socket, proto::encode_control(join_of(0, token)));
      if (answer(socket, 500ms, closed).find("\"refused\"") == std::string::npos) ++wrong;
    }
    std::vector<Descriptor> idle;
    idle.reserve(1000);
    for (int i = 0; i < 1000; ++i) idle.push_back(connect_to(port));
    most = std::max(most, resident_bytes());
    std::this_thread::sleep_for(7s);  // all have had their 5 s
    for (const Descriptor& socket : idle) {
      bool gone = false;
      answer(socket, 0ms, gone);
      dropped_idle += gone ? 1 : 0;
    }
    most = std::max(most, resident_bytes());
    run.let_go();
  });
  const Outcome outcome = run.outcome();
  strangers.join();
  CHECK(outcome.status == "done");
  CHECK(outcome.exit_code == 0);
  CHECK(wrong == 0);
  CHECK(dropped_idle == 1000);
  CHECK(most - before < (std::int64_t{64} << 20));
  CHECK(run.mark.processes() == 0);
}
