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

proto::Join join_of(int rank) { return {.host = "elsewhere", .pid = 1, .world_size = 1, .ranks = {rank}}; }

// What somebody says who does not know the token, or not this connection's nonce.
std::string prove(const std::string& secret, const Nonces& nonces) {
  return proto::encode_control(proto::Prove{.nonce = nonces.agent, .proof = proof_of(End::agent, secret, nonces)});
}

// A clock that a test moves.
struct FakeClock {
  std::atomic<Clock::rep> ahead{0};
  TimePoint now() const { return Clock::now() + Clock::duration(ahead.load()); }
  void pass(Clock::duration time) { ahead += time.count(); }
};

// What strangers do at a control port, and what went otherwise than it should.
struct Strangers {
  int port;
  std::string token;
  FakeClock& clock;
  int wrong = 0, dropped_idle = 0;
  std::int64_t most = 0;  // bytes of this process, the controller's

  void dropped(const Descriptor& socket) {
    bool closed = false;
    if (!answer(socket, 4s, closed).empty() || !closed) ++wrong;
  }
  void turned_away(const std::string& text) {
    const Descriptor socket = connect_to(port);
    if (next_line(socket).find("\"challenge\"") == std::string::npos) ++wrong;
    say(socket, text);
    dropped(socket);
  }
  void guess() {
    const std::string some(64, 'c');
    turned_away(proto::encode_control(join_of(0)));
    turned_away(prove(token, {.controller = some, .agent = some}));  // of another connection
    turned_away(proto::encode_control(proto::Prove{.nonce = some, .proof = ""}));
    turned_away(proto::encode_control(proto::Proven{.proof = some}));
    for (const std::string& secret : {std::string(64, 'b'), std::string()}) {
      const Descriptor socket = connect_to(port);
      const auto challenge = std::get<proto::Challenge>(proto::decode_control(next_line(socket)));
      say(socket, prove(secret, {.controller = challenge.nonce, .agent = some}));
      dropped(socket);
    }
  }
  void talk_nonsense() {
    turned_away("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    turned_away("{\"type\":\"signalled\",\"number\":9}\n");
    turned_away("{\"type\":\"act\",\"do\":\"kill\",\"rank\":0}\n{\"type\":\"leave\",\"exit_code\":0}\n");
    turned_away(std::string(100, '[') + "\n");
    turned_away(std::string(5000, '\0') + "\n");
  }
  // A gigabyte without a newline: the door closes after the first few thousand bytes.
  void flood() {
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
  // Who knows the token but has no place in the run.
  void come_uncalled() {
    Speaker speaker(port, token);
    speaker.tell(join_of(0));
    if (!speaker.trusted || !std::holds_alternative<proto::Refused>(speaker.hear())) ++wrong;
  }
  // Who has recorded all that an agent said says it again.
  void replay() {
    Speaker speaker(port, token);
    const std::string joining = speaker.sealed(join_of(0));
    turned_away(prove(token, speaker.nonces) + joining);
    say(speaker.socket, joining + joining);  // on its own connection, too: the second is one too many
    next_line(speaker.socket);
    dropped(speaker.socket);
  }
  // Who changes a bit of what an agent says.
  void forge() {
    Speaker speaker(port, token);
    std::string joining = speaker.sealed(join_of(0));
    joining[joining.size() / 2] ^= 1;
    say(speaker.socket, joining);
    dropped(speaker.socket);
  }
  void idle() {
    std::vector<Descriptor> sockets;
    sockets.reserve(1000);
    for (int i = 0; i < 1000; ++i) sockets.push_back(connect_to(port));
    most = std::max(most, resident_bytes());
    for (const Descriptor& socket : sockets) next_line(socket);  // all are in, or out again
    clock.pass(6s);                                              // all have had their 5 s
    for (const Descriptor& socket : sockets) {
      bool gone = false;
      answer(socket, 4s, gone);
      dropped_idle += gone ? 1 : 0;
    }
    most = std::max(most, resident_bytes());
  }
};

}  // namespace

TEST_CASE("strangers at the control port") {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  FakeClock clock;
  WaitingRun run(1, seats_of_host(1), token, [&clock] { return clock.now(); });
  const std::int64_t before = resident_bytes();
  Strangers strangers{.port = run.port(), .token = token, .clock = clock};
  std::thread thread([&] {
    strangers.guess();
    strangers.talk_nonsense();
    strangers.flood();
    strangers.come_uncalled();
    strangers.replay();
    strangers.forge();
    strangers.idle();
    run.let_go();
  });
  const Outcome outcome = run.outcome();
  thread.join();
  CHECK(outcome.status == "done");
  CHECK(outcome.exit_code == 0);
  CHECK(strangers.wrong == 0);
  CHECK(strangers.dropped_idle == 1000);
  CHECK(strangers.most - before < (std::int64_t{64} << 20));
  CHECK(run.mark.processes() == 0);
}
